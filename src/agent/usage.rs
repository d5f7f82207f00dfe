//! What a call cost, from what its results say.
//!
//! Newer CLIs count a resumed conversation from its beginning, so the totals of two calls must not be added; they give
//! this call's share beside it, once for each result line. Older ones give this call's total only.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::lifecycle::event::Usage;

/// Consumption by model.
#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub(super) struct ModelUsage(BTreeMap<String, Consumption>);

#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Consumption {
    input_tokens: u64,
    output_tokens: u64,
    cache_read_input_tokens: u64,
    cache_creation_input_tokens: u64,
    #[serde(rename = "costUSD")]
    cost_usd: Option<f64>,
}

/// The sum over the result lines of one call.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Tally {
    /// This call's own share; none until a line has it.
    share: Option<Usage>,
    /// What the last line gave as the total.
    total: Option<Usage>,
    turns: u64,
}

impl Tally {
    /// Adds what one result line says.
    pub(super) fn add(&mut self, share: Option<ModelUsage>, total: ModelUsage, cost: Option<f64>, turns: u64) {
        self.turns += turns;
        self.total = Some(Usage { cost_usd: cost, ..total.sum() });
        if let Some(share) = share {
            let new = share.sum();
            self.share = Some(match self.share {
                None => new,
                Some(old) => Usage {
                    cost_usd: old.cost_usd.zip(new.cost_usd).map(|(old, new)| old + new),
                    input_tokens: old.input_tokens + new.input_tokens,
                    output_tokens: old.output_tokens + new.output_tokens,
                    ..old
                },
            });
        }
    }

    /// What the call cost; none when no result line said so.
    pub(super) fn usage(&self, denials: usize) -> Option<Usage> {
        let usage = self.share.or(self.total)?;
        let turns = u32::try_from(self.turns).unwrap_or(u32::MAX);
        Some(Usage { turns, denials: u32::try_from(denials).unwrap_or(u32::MAX), ..usage })
    }
}

impl ModelUsage {
    /// The sum over the models; the cost is unknown as soon as one model's is.
    fn sum(&self) -> Usage {
        let tokens = |count: fn(&Consumption) -> u64| self.0.values().map(count).sum();
        Usage {
            cost_usd: self.0.values().try_fold(0.0, |sum, each| Some(sum + each.cost_usd?)),
            input_tokens: tokens(|each| {
                each.input_tokens + each.cache_read_input_tokens + each.cache_creation_input_tokens
            }),
            output_tokens: tokens(|each| each.output_tokens),
            ..Usage::default()
        }
    }
}
