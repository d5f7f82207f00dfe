//! Draws the components and what they depend on.

use serde::Serialize;

use crate::cli::App;
use crate::cli::args::{self, Format, GraphFormat};
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::settings::Layer;
use crate::ids::ComponentId;
use crate::plan::resolve::Choices;
use crate::plan::{Plan, export};

/// Draws the components and what they depend on.
pub fn execute(app: &App, args: args::Graph) -> Result<ExitStatus, CliError> {
    let opened = app.open(args.spec.reference(), Layer::default(), Choices::default())?;
    match app.printer.format() {
        Format::Json => app.printer.document(&Drawing::new(&opened.reference, &opened.plan))?,
        Format::Text => app.printer.answer(&match args.format {
            GraphFormat::Text => export::text(&opened.plan),
            GraphFormat::Mermaid => export::mermaid(&opened.plan),
            GraphFormat::Dot => export::dot(&opened.plan),
        })?,
    }
    Ok(ExitStatus::Done)
}

/// The JSON document.
#[derive(Serialize)]
struct Drawing<'a> {
    spec: &'a str,
    levels: u32,
    components: Vec<Node<'a>>,
}

#[derive(Serialize)]
struct Node<'a> {
    id: &'a ComponentId,
    level: u32,
    depends_on: Vec<&'a ComponentId>,
}

impl<'a> Drawing<'a> {
    fn new(spec: &'a str, plan: &'a Plan) -> Self {
        let node = |(at, component): (u32, &'a crate::plan::ComponentPlan)| Node {
            id: &component.id,
            level: plan.graph.level(at),
            depends_on: plan.graph.dependencies(at).iter().map(|&below| &plan.component(below).id).collect(),
        };
        Self { spec, levels: plan.graph.depth(), components: (0..).zip(&plan.components).map(node).collect() }
    }
}
