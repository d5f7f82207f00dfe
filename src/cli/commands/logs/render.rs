//! An agent's stream for people: what it said, which tools it called, what came of them.
//!
//! Tolerant: an event that is not known is passed over, a line that is no JSON is shown as it stands.

use std::fmt::Write as _;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use crate::redact::Redactor;
use crate::text::{cost, duration, elide_end, one_line, plural, terminal_safe};

/// Lines of a tool's result that are shown; the whole of it is in the file.
const RESULT_LINES: usize = 12;
/// Columns of a line that was never meant for people.
const COLUMNS: usize = 200;

const CALL: Style = AnsiColor::Cyan.on_default();
const ASIDE: Style = Style::new().dimmed();
const WRONG: Style = AnsiColor::Red.on_default();

/// One line of the stream, in as many lines as it takes; none where it says nothing. Secrets are taken out before
/// anything is cut short.
pub fn line(bytes: &[u8], redactor: &Redactor) -> String {
    if bytes.trim_ascii().is_empty() {
        return String::new();
    }
    let Ok(mut event) = serde_json::from_slice::<Value>(bytes) else {
        return format!("{}\n", brief(&redactor.text(&String::from_utf8_lossy(bytes))));
    };
    redactor.json(&mut event, &[]);
    match event["type"].as_str() {
        Some("system") => system(&event),
        Some("assistant") => blocks(&event).iter().map(said).collect(),
        Some("user") => blocks(&event).iter().map(came_back).collect(),
        Some("result") => result(&event),
        Some("rate_limit_event") => limit(&event["rate_limit_info"]),
        _ => String::new(),
    }
}

fn blocks(event: &Value) -> &[Value] {
    event["message"]["content"].as_array().map_or(&[], Vec::as_slice)
}

fn system(event: &Value) -> String {
    match event["subtype"].as_str() {
        Some("init") => aside(&format!("model {}", event["model"].as_str().unwrap_or("unknown"))),
        Some("api_retry") => {
            let delay = event["retry_delay_ms"].as_f64().unwrap_or_default();
            aside(&format!("the server is asked again in {}", duration(Duration::from_millis(delay as u64))))
        }
        _ => String::new(),
    }
}

/// A block of the agent's own.
fn said(block: &Value) -> String {
    match block["type"].as_str() {
        Some("text") => text(&block["text"]),
        Some("thinking") => indented(&block["thinking"], "  ", ASIDE, usize::MAX),
        // The answer is shown with the result.
        Some("tool_use") if block["name"] == "StructuredOutput" => String::new(),
        Some("tool_use") => {
            let name = one_line(block["name"].as_str().unwrap_or("?")).into_owned();
            format!("{CALL}▸ {name}{CALL:#} {}\n", subject(&block["input"]))
        }
        _ => String::new(),
    }
}

/// What a call is about: the one member that tells it, else all of them.
fn subject(input: &Value) -> String {
    const TELLING: [&str; 6] = ["command", "file_path", "path", "pattern", "url", "query"];
    let telling = TELLING.into_iter().find_map(|name| input[name].as_str());
    match telling {
        Some(text) => brief(text),
        None => brief(&input.to_string()),
    }
}

/// A block that a tool gave back.
fn came_back(block: &Value) -> String {
    if block["type"] != "tool_result" {
        return String::new();
    }
    let style = if block["is_error"] == true { WRONG } else { ASIDE };
    match &block["content"] {
        Value::Array(parts) => parts.iter().map(|part| indented(&part["text"], "  │ ", style, RESULT_LINES)).collect(),
        content => indented(content, "  │ ", style, RESULT_LINES),
    }
}

fn result(event: &Value) -> String {
    let ms = event["duration_ms"].as_u64().unwrap_or_default();
    let mut words = vec![
        one_line(event["subtype"].as_str().unwrap_or("unknown")).into_owned(),
        plural(event["num_turns"].as_u64().unwrap_or_default() as usize, "turn"),
        duration(Duration::from_millis(ms)),
    ];
    words.extend(event["total_cost_usd"].as_f64().map(|usd| cost(usd, false)));
    let failed = event["is_error"] != false;
    let style = if failed { WRONG } else { ASIDE };
    let mut out = format!("{style}result: {}{style:#}\n", words.join(", "));
    if failed {
        out.push_str(&indented(&event["result"], "  │ ", style, RESULT_LINES));
    }
    if let Some(answer) = event["structured_output"].as_object() {
        for (name, value) in answer {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let _ = writeln!(out, "  {}: {}", one_line(name), one_line(&value));
        }
    }
    out
}

fn limit(info: &Value) -> String {
    match info["status"].as_str() {
        None | Some("allowed") => String::new(),
        Some(status) => aside(&format!("usage limit: {status}")),
    }
}

/// A remark.
pub fn aside(text: &str) -> String {
    format!("{ASIDE}{}{ASIDE:#}\n", one_line(text))
}

fn text(value: &Value) -> String {
    value.as_str().map(|text| format!("{}\n", terminal_safe(text.trim_end()))).unwrap_or_default()
}

/// At most `most` lines of a text, each behind `margin`.
fn indented(value: &Value, margin: &str, style: Style, most: usize) -> String {
    let Some(text) = value.as_str() else { return String::new() };
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let mut out = String::new();
    for line in lines.iter().take(most) {
        let _ = writeln!(out, "{style}{margin}{}{style:#}", terminal_safe(line));
    }
    if lines.len() > most {
        let _ = writeln!(out, "{style}{margin}… {}{style:#}", plural(lines.len() - most, "more line"));
    }
    out
}

/// The beginning of a text, on one line.
fn brief(text: &str) -> String {
    elide_end(&one_line(text), COLUMNS).into_owned()
}
