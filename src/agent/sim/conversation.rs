//! One answer from its first event to its last: actions, then the good end or the one that the fault makes.

use std::io;
use std::path::Path;

use serde_json::{Value, json};

use super::action::{Stage, Stop};
use super::arguments::Print;
use super::scenario::{Behaviour, Fault, HangAt};
use super::stream::{Ending, Stream};
use super::wake::{Interrupt, Wake};
use super::{failure, schema};

/// One answer from the first event to the last; returns the exit status.
pub fn hold(stream: &mut Stream, print: &Print, behaviour: &Behaviour, files: &Path, deaf: bool) -> io::Result<u8> {
    let wake = if deaf || !behaviour.waits() { Wake::deaf() } else { Wake::listening()? };
    let stage = &mut Stage { stream, wake: &wake, files };
    let code = match act(stage, print, behaviour) {
        Ok(code) => code,
        Err(Stop::Signal(which, tool)) => interrupted(stage.stream, which, tool.as_deref()),
        Err(Stop::Io(error)) => return Err(error),
    };
    stage.stream.flush()?;
    if let Some(Fault::KillSelf { signal }) = behaviour.fault
        && let Some(signal) = rustix::process::Signal::from_named_raw(signal)
    {
        rustix::process::kill_process(rustix::process::getpid(), signal)?;
    }
    Ok(code)
}

fn act(stage: &mut Stage<'_>, print: &Print, behaviour: &Behaviour) -> Result<u8, Stop> {
    let hangs = |at| matches!(behaviour.fault, Some(Fault::Hang(here)) if here == at);
    if hangs(HangAt::Start) {
        return Err(stage.hang());
    }
    behaviour.boot.iter().try_for_each(|wait| stage.wait_for(wait))?;
    stage.stream.init();
    if behaviour.waits() {
        stage.stream.flush()?;
    }
    if hangs(HangAt::Init) {
        return Err(stage.hang());
    }
    behaviour.actions.iter().try_for_each(|action| stage.perform(action))?;
    let Some(fault) = &behaviour.fault else {
        answer(stage.stream, print, behaviour, false);
        return Ok(0);
    };
    end_badly(stage, print, behaviour, fault)
}

/// The end that a fault makes.
fn end_badly(stage: &mut Stage<'_>, print: &Print, behaviour: &Behaviour, fault: &Fault) -> Result<u8, Stop> {
    match fault {
        Fault::Hang(_) => {
            stage.stream.flush()?;
            return Err(stage.hang());
        }
        Fault::Exit { code } => return Ok(*code),
        // By the signal that follows when all is written.
        Fault::KillSelf { .. } => {}
        Fault::Api(fault) => {
            failure::write(stage.stream, fault, print);
            return Ok(1);
        }
        Fault::CutOutput => {
            answer(stage.stream, print, behaviour, false);
            stage.stream.cut_last_line();
        }
        Fault::NoAnswer => {
            stage.stream.text("I am done.");
            stage.stream.injected(
                "[structured-output-enforce] You MUST call the StructuredOutput tool to complete this request.",
            );
            say_result(stage.stream, "I am done.", json!({}));
        }
        Fault::InvalidAnswer => structured(stage.stream, &json!({"nonsense": true}), false),
        Fault::ResultIsError => {
            answer(stage.stream, print, behaviour, true);
            return Ok(1);
        }
        Fault::SecondResult => {
            answer(stage.stream, print, behaviour, false);
            stage.stream.init();
            say_result(stage.stream, "The background task ended.", json!({"origin": {"kind": "task-notification"}}));
        }
        Fault::LingerAfterResult { ms } => {
            answer(stage.stream, print, behaviour, false);
            stage.pause(*ms)?;
        }
    }
    Ok(0)
}

/// The good end.
fn answer(stream: &mut Stream, print: &Print, behaviour: &Behaviour, is_error: bool) {
    match (&print.schema, &behaviour.answer) {
        (Some(_), Some(answer)) => structured(stream, answer, is_error),
        (Some(schema), None) => structured(stream, &unless_told(schema, behaviour), is_error),
        (None, Some(Value::String(text))) => say_result(stream, text, json!({"is_error": is_error})),
        (None, Some(other)) => say_result(stream, &other.to_string(), json!({"is_error": is_error})),
        (None, None) => say_result(stream, "simulated", json!({"is_error": is_error})),
    }
}

/// What is answered where the scenario does not say what: who did nothing does not call that done.
fn unless_told(schema: &Value, behaviour: &Behaviour) -> Value {
    let mut answer = schema::smallest_answer(schema);
    if behaviour.actions.is_empty() && answer["status"] == "done" {
        answer["status"] = json!("nothing_to_do");
    }
    answer
}

fn structured(stream: &mut Stream, answer: &Value, is_error: bool) {
    const TOLD: &str = "Structured output provided successfully";
    let call = stream.tool_use("StructuredOutput", answer);
    stream.tool_result(&call, TOLD, false, json!(TOLD));
    stream.result(&Ending {
        subtype: "success",
        is_error,
        terminal_reason: Some("completed"),
        stop_reason: Some("tool_use"),
        more: json!({"api_error_status": null, "result": answer.to_string(), "structured_output": answer}),
    });
}

fn say_result(stream: &mut Stream, text: &str, mut more: Value) {
    stream.text(text);
    more["api_error_status"] = Value::Null;
    more["result"] = json!(text);
    stream.result(&Ending {
        subtype: "success",
        is_error: false,
        terminal_reason: Some("completed"),
        stop_reason: Some("end_turn"),
        more,
    });
}

/// What is written when a signal comes, and the exit status.
fn interrupted(stream: &mut Stream, which: Interrupt, tool: Option<&str>) -> u8 {
    match (which, tool) {
        (Interrupt::Int, Some(call)) => {
            stream.tool_result(call, "The tool use was rejected.", true, json!("User rejected tool use"));
            stream.injected("[Request interrupted by user for tool use]");
            stream.result(&Ending {
                subtype: "error_during_execution",
                is_error: true,
                terminal_reason: Some("aborted_tools"),
                stop_reason: Some("tool_use"),
                more: json!({"errors": ["[ede_diagnostic] result_type=user stop_reason=tool_use"]}),
            });
        }
        (Interrupt::Int, None) => stream.injected("[Request interrupted by user]"),
        (Interrupt::Term | Interrupt::Hup, Some(call)) => {
            stream.tool_result(call, "Exit code 137", true, json!("Error: Exit code 137"));
        }
        (Interrupt::Term | Interrupt::Hup, None) => {}
    }
    match which {
        Interrupt::Int => 0,
        Interrupt::Term => 143,
        Interrupt::Hup => 129,
    }
}
