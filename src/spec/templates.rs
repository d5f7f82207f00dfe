//! The texts of a new spec that say what is to be written in their place.

/// A file's name and what stands below its heading.
pub(super) const BRAINSTORM: [(&str, &str, &str); 4] = [
    (
        "brainstorm/MISSION.md",
        "mission",
        "What is wanted, for whom, and why.\n\n- Done is it when:\n- It is not about:\n",
    ),
    (
        "brainstorm/INVESTIGATION.md",
        "investigation",
        "What was found out.\n\n- Files and patterns that matter, by path:\n- Commands that build, lint and test:\n- What was \
         tried, and what came of it:\n",
    ),
    (
        "brainstorm/DECISIONS.md",
        "decisions",
        "What was decided, and why.\n\n| decision | instead of | because |\n| --- | --- | --- |\n",
    ),
    (
        "brainstorm/CONCERNS.md",
        "concerns",
        "What may go wrong.\n\n| concern | how it would be noticed | what to do about it |\n| --- | --- | --- |\n",
    ),
];

/// What SPEC.md holds at first.
pub(super) fn specification(name: &str) -> String {
    format!(
        "# {name}\n\nWhat is to be built, and how one can tell that it is done. This part goes into the prompts of all \
         components.\n\n<!-- A section whose heading names a component by its id, such as `## parser`, goes into the \
         prompts of that component alone. -->\n"
    )
}
