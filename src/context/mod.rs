//! What agents tell each other: CONTEXT.md, components/<id>.md and the parts of prompts.
