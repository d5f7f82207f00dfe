//! How the real CLI ends when the API fails or a limit is reached, measured with version 2.1.330 (where it differs, cco
//! has to cope with the older form too; that form is in the recorded transcripts).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::arguments::Print;
use super::scenario::ApiFault;
use super::stream::{Ending, Stream};

/// An API failure as its synthetic message and its result show it.
struct Failure {
    /// `assistant.error`.
    error: &'static str,
    /// HTTP status; none where no answer came.
    status: Option<u16>,
    /// `api_error_type` and `api_error`: what newer versions say beside it.
    kind: Option<&'static str>,
    name: Option<&'static str>,
    /// What people read.
    text: String,
    terminal_reason: &'static str,
    /// `error_status` of the retries before it, if it is retried.
    retried: Option<Option<u16>>,
    /// What is said of the subscription's limits before it.
    limits: Option<Value>,
}

/// Writes the events of `fault`; the exit status is 1 for all.
pub fn write(stream: &mut Stream, fault: &ApiFault, print: &Print) {
    let failure = match fault {
        ApiFault::BadRequest => api(400, "unknown", "API Error: 400 messages: at least one message is required"),
        ApiFault::Billing => api(400, "billing_error", "Credit balance is too low"),
        ApiFault::PromptTooLong => {
            let text = "Prompt is too long · the request is ~210000 tokens (limit 200000)";
            Failure { terminal_reason: "prompt_too_long", ..api(400, "invalid_request", text) }
        }
        ApiFault::Unauthorized => {
            retried(401, api(401, "authentication_failed", "Invalid API key · Fix external API key"))
        }
        ApiFault::Forbidden => {
            api(403, "authentication_failed", "Failed to authenticate. API Error: 403 No permission.")
        }
        ApiFault::ModelNotFound => {
            let text = format!("There's an issue with the selected model ({}). It may not exist.", stream.model());
            api(404, "model_not_found", &text)
        }
        ApiFault::TooLarge => {
            let text = "Request too large (max 32MB). Try with a smaller file.";
            Failure { terminal_reason: "image_error", ..api(413, "invalid_request", text) }
        }
        ApiFault::RateLimit => retried(429, api(429, "rate_limit", REJECTED)),
        ApiFault::RateLimitRetryAfter => api(429, "rate_limit", REJECTED),
        ApiFault::UsageLimit { resets_in } => Failure {
            limits: Some(json!({
                "status": "rejected", "resetsAt": Timestamp::now().as_second() + resets_in,
                "rateLimitType": "five_hour", "overageStatus": "rejected",
                "overageDisabledReason": "org_level_disabled", "isUsingOverage": false,
            })),
            name: Some("usage_limit_reached"),
            ..api(429, "rate_limit", "You've hit your 5-hour limit · resets soon")
        },
        ApiFault::Throttle => Failure {
            limits: Some(json!({"status": "rejected", "isUsingOverage": false})),
            ..retried(429, api(429, "rate_limit", "API Error: Server is temporarily limiting requests"))
        },
        ApiFault::ServerError => retried(500, api(500, "server_error", "API Error: 500 Internal server error.")),
        ApiFault::Overloaded => retried(529, api(529, "server_error", "API Error: Repeated 529 Overloaded errors.")),
        ApiFault::ConnectionRefused => connection("API Error: Connection refused (ECONNREFUSED)"),
        ApiFault::ConnectionDropped => connection("API Error: Connection dropped (ECONNRESET)."),
        ApiFault::RequestTimeout => Failure { name: None, ..connection("Request timed out") },
        ApiFault::MaxOutputTokens => {
            let text = "API Error: Claude's response exceeded the 128000 output token maximum.";
            Failure { name: Some("max_output_tokens"), ..no_status("max_output_tokens", text) }
        }
        ApiFault::NoCredentials => no_status("authentication_failed", "Not logged in · Please run /login"),
        ApiFault::MaxTurns => return max_turns(stream, print.max_turns.unwrap_or(1)),
        ApiFault::MaxBudget => return max_budget(stream, print.max_budget.as_deref().unwrap_or("1")),
        ApiFault::StructuredMaxRetries => return structured_max_retries(stream),
        ApiFault::Refusal => return refusal(stream),
    };
    fail(stream, failure);
}

const REJECTED: &str = "API Error: Request rejected (429) · This request would exceed your rate limit.";

/// A failure with an HTTP status.
fn api(status: u16, error: &'static str, text: &str) -> Failure {
    let kind = match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        500 => "api_error",
        529 => "overloaded_error",
        _ => "invalid_request_error",
    };
    Failure { status: Some(status), kind: Some(kind), ..no_status(error, text) }
}

/// A failure without one.
fn no_status(error: &'static str, text: &str) -> Failure {
    Failure {
        error,
        status: None,
        kind: None,
        name: None,
        text: text.to_owned(),
        terminal_reason: "api_error",
        retried: None,
        limits: None,
    }
}

/// The same, after retries.
fn retried(status: u16, failure: Failure) -> Failure {
    Failure { retried: Some(Some(status)), ..failure }
}

fn connection(text: &str) -> Failure {
    Failure { name: Some("connection_failed"), retried: Some(None), ..no_status("server_error", text) }
}

/// The retries that the real CLI makes before it gives up, without their delays: 529 twice, else as often as
/// `CLAUDE_CODE_MAX_RETRIES` says (at most 15, by default 10).
fn retries(stream: &mut Stream, failure: &Failure) {
    let Some(status) = failure.retried else { return };
    let asked = std::env::var("CLAUDE_CODE_MAX_RETRIES").ok().and_then(|text| text.parse().ok());
    let limit = asked.unwrap_or(10_u32).min(15);
    let error = match status {
        None => "unknown",
        Some(529) => "overloaded",
        Some(_) => failure.error,
    };
    for attempt in 1..=if status == Some(529) { limit.min(2) } else { limit } {
        stream.system(
            "api_retry",
            json!({
                "attempt": attempt, "max_retries": limit, "retry_delay_ms": 500 << (attempt - 1).min(6),
                "error_status": status, "error": error,
            }),
        );
    }
}

/// The retries, the synthetic message and the result.
fn fail(stream: &mut Stream, failure: Failure) {
    retries(stream, &failure);
    if let Some(info) = failure.limits {
        stream.rate_limit(info);
    }
    let mut said = json!({"error": failure.error, "is_api_error_message": true});
    let mut ended = json!({"api_error_status": failure.status, "result": failure.text});
    if let Some(status) = failure.status {
        said["api_error_status"] = json!(status);
    }
    for (key, value) in [("api_error_type", failure.kind), ("api_error", failure.name)] {
        if let Some(value) = value {
            said[key] = json!(value);
            ended[key] = json!(value);
        }
    }
    stream.synthetic(&failure.text, "stop_sequence", &said);
    end(stream, "success", Some(failure.terminal_reason), "stop_sequence", ended);
}

fn end(stream: &mut Stream, subtype: &str, terminal_reason: Option<&str>, stop_reason: &str, more: Value) {
    let stop_reason = Some(stop_reason);
    stream.result(&Ending { subtype, is_error: true, terminal_reason, stop_reason, more });
}

fn max_turns(stream: &mut Stream, limit: u32) {
    let text = format!("Reached maximum number of turns ({limit})");
    limit_reached(stream, "error_max_turns", "max_turns", &text);
}

fn max_budget(stream: &mut Stream, limit: &str) {
    limit_reached(stream, "error_max_budget_usd", "budget_exhausted", &format!("Reached maximum budget (${limit})"));
}

/// A limit of ours is reached after a tool call.
fn limit_reached(stream: &mut Stream, subtype: &str, terminal_reason: &str, text: &str) {
    let id = stream.tool_use("Bash", &json!({"command": "echo hi", "description": "d"}));
    stream.tool_result(&id, "hi", false, json!({"stdout": "hi", "stderr": "", "interrupted": false}));
    end(stream, subtype, Some(terminal_reason), "tool_use", json!({"errors": [text]}));
}

fn structured_max_retries(stream: &mut Stream) {
    let complaint = "Output does not match required schema: root: must have required property 'summary'";
    for _ in 0..5 {
        let id = stream.tool_use("StructuredOutput", &json!({"nonsense": true}));
        stream.tool_result(&id, complaint, true, json!(format!("Error: {complaint}")));
    }
    let errors = json!({"errors": [format!("Failed to provide valid structured output after 5 attempts — last \
                                            StructuredOutput error: {complaint}")]});
    let reason = Some("structured_output_retry_exhausted");
    end(stream, "error_max_structured_output_retries", reason, "tool_use", errors);
}

fn refusal(stream: &mut Stream) {
    stream.text("I cannot.");
    let model = stream.model().to_owned();
    stream.system(
        "model_refusal_no_fallback",
        json!({
            "original_model": model, "api_refusal_category": null, "api_refusal_explanation": null, "content": "",
        }),
    );
    let text = format!("API Error: {model}'s safeguards flagged this message. Claude Code can't respond to it.");
    stream.synthetic(&text, "refusal", &json!({"error": "invalid_request", "is_api_error_message": true}));
    let ended = json!({"api_error_status": null, "result": text});
    end(stream, "success", Some("api_error"), "refusal", ended);
}
