//! Loads a component and calls its function: all of it that a program of one's own needs.
//!
//! `cargo run -p sinew-runtime --example first_call -- words.wasm count '{"text": "one two"}'`; without arguments it
//! calls a component that it brings along.

use std::process::ExitCode;

use anyhow::{Result, bail};

use sinew_runtime::typed::Content;
use sinew_runtime::{
    CallOptions, CompilerCommand, ComponentSource, Outcome, Resources, Runtime, RuntimeConfig,
    Trust, compile_worker_main,
};

/// A component in the text format: adds two numbers.
const ADDER: &str = r#"(component
  (core module $code (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
  (core instance $made (instantiate $code))
  (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $made "add"))))"#;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Untrusted components are compiled by a second copy of this program, under limits.
    if arguments.first().is_some_and(|first| first == "compile") {
        return Ok(compile_worker_main());
    }
    tokio::runtime::Runtime::new()?.block_on(call(&arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn call(arguments: &[String]) -> Result<()> {
    let (wasm, function, input) = match arguments {
        [file, function, input] => (std::fs::read(file)?, function.as_str(), input.as_str()),
        [] => (wat::parse_str(ADDER)?, "add", r#"{"a": 40, "b": 2}"#),
        _ => bail!("expected a file, a function and its input"),
    };
    let cache = std::env::temp_dir().join("sinew-first-call");
    let runtime = Runtime::new(RuntimeConfig {
        // Without a pool the first call comes soonest.
        processes_max: 0,
        ..RuntimeConfig::new(cache, CompilerCommand::this_program("compile")?)
    })?;
    let component = runtime
        .add(ComponentSource::new("first", wasm, Trust::Untrusted))
        .await?;
    // A hand has what it is given: this one has tools, and neither files nor network.
    let hand = runtime.provision(Resources::default().component(component))?;
    let input = serde_json::from_str(input)?;
    let execution = hand.execute(function, &input, CallOptions::default()).await;
    match execution.outcome {
        Outcome::Result(content) => {
            for part in content {
                match part {
                    Content::Text(text) => println!("{text}"),
                    other => println!("{other:?}"),
                }
            }
            Ok(())
        }
        other => bail!("{other:?}"),
    }
}
