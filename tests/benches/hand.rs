//! What a hand costs: a call in a new hand and in a kept one, beside the same component in bare wasmtime and
//! beside starting a process of the operating system.

#![allow(clippy::indexing_slicing, reason = "a bench may fail by panicking")]

mod hands;
mod measure;
mod stock;

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use sinew_runtime::{CallOptions, Outcome};
use wasmtime::component::Val;

use hands::{FILES_INTERFACE, Hands, files_wasm};
use measure::{Contest, Options, Report};
use stock::{Bare, Stock, plain};

/// A component without imports and with one function.
const SMALL: &str = r#"(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "answer") (result i32) (i32.const 42)))
  (core instance $i (instantiate $m))
  (func (export "answer") (result u32) (canon lift (core func $i "answer"))))"#;

/// A component whose function never returns.
const ENDLESS: &str = r#"(component
  (core module $m
    (func (export "endless") (loop (br 0))))
  (core instance $i (instantiate $m))
  (func (export "endless") (canon lift (core func $i "endless"))))"#;

/// How long an endless call runs before it is cancelled.
const RUNS: Duration = Duration::from_millis(2);

fn main() -> Result<()> {
    let options = Options::read();
    let mut report = Report::new("hand");
    let hands = Hands::new()?;
    small_component(options, &hands, &mut report)?;
    read_of_a_file(options, &hands, &mut report)?;
    cancel(options, &hands, &mut report)?;
    report.note(
        "cold: the hand is made for the call; kept: it exists, the process is fresh all the same",
    );
    report.note("a hand's call crosses to the guests' threads and back, under limits and metering; bare wasmtime does not");
    report.print(options);
    Ok(())
}

fn small_component(options: Options, hands: &Hands, report: &mut Report) -> Result<()> {
    let wasm = wat::parse_str(SMALL)?;
    let bare = Bare::new(&wasm, "answer").map_err(plain)?;
    let component = hands.load("small", wasm)?;
    let kept = hands.hand(&component, None)?;
    let input = json!({});
    let group = Contest::new("one call of a component without imports")
        .subject("cold hand", || {
            let hand = hands.hand(&component, None)?;
            ensure!(hands.call(&hand, "answer", &input)? == "42");
            Ok(())
        })
        .subject("kept hand", || {
            ensure!(hands.call(&kept, "answer", &input)? == "42");
            Ok(())
        })
        .subject("process (/bin/true)", || {
            spawn(&mut Command::new("/bin/true"))
        })
        .subject("bare wasmtime", || {
            ensure!(hands.wait(bare.call()).map_err(plain)? == Val::U32(42));
            Ok(())
        })
        .run(options.pick(2, 50), options.pick(5, 40))?;
    report.add(group);
    Ok(())
}

fn cancel(options: Options, hands: &Hands, report: &mut Report) -> Result<()> {
    let component = hands.load("endless", wat::parse_str(ENDLESS)?)?;
    let hand = hands.hand(&component, None)?;
    let input = json!({});
    let group = Contest::new("cancel of a call that never ends by itself, after 2 ms")
        .subject("start, 2 ms, cancel, gone", || {
            let options = CallOptions::default();
            let token = options.cancel.clone();
            let cancelling = async {
                tokio::time::sleep(RUNS).await;
                token.cancel();
            };
            let both = async { tokio::join!(hand.execute("endless", &input, options), cancelling) };
            let (execution, ()) = hands.wait(both);
            ensure!(matches!(execution.outcome, Outcome::Cancelled));
            Ok(())
        })
        .subject("the 2 ms alone", || {
            hands.wait(async { tokio::time::sleep(RUNS).await });
            Ok(())
        })
        .run(options.pick(2, 50), options.pick(5, 10))?;
    report.add(group);
    Ok(())
}

fn read_of_a_file(options: Options, hands: &Hands, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let text = "a line of text\n".repeat(100);
    let path = folder.path().join("file.txt");
    std::fs::write(&path, &text)?;
    let stock = Stock::new(files_wasm()?, folder.path()).map_err(plain)?;
    let component = hands.load("files", files_wasm()?.to_vec())?;
    let kept = hands.hand(&component, Some(folder.path()))?;
    let input = json!({"file_path": "file.txt"});
    let params = [Val::String("file.txt".to_owned()), Val::Option(None)];
    let group = Contest::new("read of a file of 1.5 kB with the built-in tool")
        .subject("cold hand", || {
            let hand = hands.hand(&component, Some(folder.path()))?;
            ensure!(hands.call(&hand, "read", &input)? == text);
            Ok(())
        })
        .subject("kept hand", || {
            ensure!(hands.call(&kept, "read", &input)? == text);
            Ok(())
        })
        .subject("process (/bin/cat)", || {
            spawn(Command::new("/bin/cat").arg(&path))
        })
        .subject("bare wasmtime with wasmtime-wasi", || {
            ensure!(
                stock
                    .call(FILES_INTERFACE, "read", &params)
                    .map_err(plain)?
                    == text
            );
            Ok(())
        })
        .run(options.pick(2, 50), options.pick(5, 20))?;
    report.add(group);
    Ok(())
}

fn spawn(command: &mut Command) -> Result<()> {
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}
