//! SPEC.md by sections: which part belongs to which component.

use std::collections::HashMap;

use crate::ids::ComponentId;

/// The text before the first section that names a component, and the sections that do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Specification {
    general: String,
    sections: HashMap<ComponentId, String>,
}

impl Specification {
    /// Cuts `text` at its headings. A section belongs to each component whose id stands in its heading as a word, and
    /// reaches to the next heading of its own level or above.
    pub fn parse(text: &str, ids: &[ComponentId]) -> Self {
        let known: HashMap<&str, &ComponentId> = ids.iter().map(|id| (id.as_str(), id)).collect();
        let mut out = Self::default();
        let mut open: Vec<(usize, ComponentId)> = Vec::new();
        let mut fenced = false;
        for line in text.split_inclusive('\n') {
            fenced ^= line.trim_start().starts_with("```");
            if let Some((depth, title)) = heading(line).filter(|_| !fenced) {
                open.retain(|(above, _)| *above < depth);
                let named = title.split(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '_' | '-')));
                open.extend(named.filter_map(|word| known.get(word).map(|id| (depth, (*id).clone()))));
            }
            if open.is_empty() {
                out.general.push_str(line);
            }
            for (_, id) in &open {
                out.sections.entry(id.clone()).or_default().push_str(line);
            }
        }
        out
    }

    /// The sections of a component; none when no heading names it.
    pub fn section(&self, id: &ComponentId) -> Option<&str> {
        self.sections.get(id).map(String::as_str)
    }

    /// Everything that belongs to no component.
    pub fn general(&self) -> &str {
        &self.general
    }
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let depth = line.bytes().take_while(|&byte| byte == b'#').count();
    let title = line[depth..].trim();
    ((1..=6).contains(&depth) && line[depth..].starts_with(' ')).then_some((depth, title))
}

#[cfg(test)]
mod tests {
    use super::Specification;
    use crate::ids::ComponentId;

    #[test]
    fn sections_reach_to_the_next_heading_of_their_level() {
        let ids = ["api", "api-v2", "store"].map(|id| ComponentId::new(id).unwrap());
        let text = "# All\nintro\n## The `api`\na\n### Deep\nb\n```\n# no heading\n```\n## Storage (store, api-v2)\nc\n# End\nd\n";
        let spec = Specification::parse(text, &ids);
        assert_eq!(spec.section(&ids[0]).unwrap(), "## The `api`\na\n### Deep\nb\n```\n# no heading\n```\n");
        assert_eq!(spec.section(&ids[1]), spec.section(&ids[2]));
        assert_eq!(spec.general(), "# All\nintro\n# End\nd\n");
    }
}
