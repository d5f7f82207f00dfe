//! The displays as observers of a run.

use std::io::Write;

use jiff::Timestamp;

use super::{Json, Live, LiveEvent, Plain, Shape, ShapeComponent};
use crate::lifecycle::event::Record;
use crate::lifecycle::observer::{self, Observer};
use crate::lifecycle::state::RunState;
use crate::plan::Plan;

impl Shape {
    /// The shape of a plan.
    pub fn of(plan: &Plan) -> Self {
        let id = |at: u32| plan.component(at).id.clone();
        let component = |at: u32| ShapeComponent {
            id: id(at),
            level: plan.graph.level(at),
            depends_on: plan.graph.dependencies(at).iter().copied().map(id).collect(),
        };
        Self { components: (0..plan.components.len() as u32).map(component).collect() }
    }
}

impl Observer for Live {
    fn on_record(&mut self, _: &RunState, record: &Record) {
        Live::on_record(self, record);
    }

    fn on_live(&mut self, live: &observer::Live, now: Timestamp) {
        let tool = match &live.what {
            observer::LiveEvent::Tool { name, detail } => Some((name.clone(), detail.clone())),
            observer::LiveEvent::Spoke(_)
            | observer::LiveEvent::Model(_)
            | observer::LiveEvent::ToolEnded
            | observer::LiveEvent::Text
            | observer::LiveEvent::Tokens { .. }
            | observer::LiveEvent::Retry { .. }
            | observer::LiveEvent::RateLimit(_) => None,
        };
        Live::on_live(self, &LiveEvent { attempt: live.attempt.clone(), tool, at: now });
    }

    fn on_tick(&mut self, now: Timestamp) {
        Live::on_tick(self, now);
    }

    fn finish(&mut self, _: &RunState) {
        Live::finish(self);
    }
}

impl<W: Write + Send> Observer for Plain<W> {
    fn on_record(&mut self, _: &RunState, record: &Record) {
        Plain::on_record(self, record);
    }

    fn on_live(&mut self, _: &observer::Live, _: Timestamp) {}

    fn on_tick(&mut self, _: Timestamp) {}

    fn finish(&mut self, _: &RunState) {}
}

impl<W: Write + Send> Observer for Json<W> {
    fn on_record(&mut self, _: &RunState, record: &Record) {
        Json::on_record(self, record);
    }

    fn on_live(&mut self, _: &observer::Live, _: Timestamp) {}

    fn on_tick(&mut self, _: Timestamp) {}

    fn finish(&mut self, _: &RunState) {}
}
