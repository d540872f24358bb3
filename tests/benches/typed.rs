//! What types cost: reading a component's, and the way of values from JSON and back, beside serde_json and a struct of
//! Rust's own; and what loading a large component costs that was compiled before.

#![allow(clippy::indexing_slicing, reason = "a bench may fail by panicking")]

mod hands;
mod measure;
mod stock;

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sinew_runtime::typed::{Export, ToolSet, function_type, json_to_params, reflect, val_to_json};
use sinew_runtime::{
    CallOptions, CompilerCommand, ComponentSource, Runtime, RuntimeConfig, Trust, running_engine,
};
use wasmtime::component::{Component, Val};

use hands::{Hands, files_wasm};
use measure::{Contest, Group, Options, Report};
use stock::{Bare, plain};

/// A component whose function takes and returns a list of records.
const SHAPES: &str = r#"(component
  (type $point' (record (field "x" f64) (field "y" f64) (field "label" (option string))))
  (export $point "point" (type $point'))
  (type $shape' (record (field "name" string) (field "points" (list $point)) (field "is-closed" bool)))
  (export $shape "shape" (type $shape'))
  (core module $m
    (memory (export "m") 1)
    (func (export "r") (param i32 i32 i32 i32) (result i32) i32.const 0)
    (func (export "take") (param i32 i32) (result i32) i32.const 0))
  (core instance $i (instantiate $m))
  (func (export "take") (param "shapes" (list $shape)) (result (list $shape))
    (canon lift (core func $i "take") (memory (core memory $i "m")) (realloc (core func $i "r")))))"#;

/// The same in Rust.
#[derive(Serialize, Deserialize)]
struct Point {
    x: f64,
    y: f64,
    label: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Shape {
    name: String,
    points: Vec<Point>,
    is_closed: bool,
}

#[derive(Serialize, Deserialize)]
struct Input {
    shapes: Vec<Shape>,
}

/// A component that does nothing when it is called.
const EMPTY: &str = r#"(component
  (core module $m (func (export "f") (result i32) i32.const 0))
  (core instance $i (instantiate $m))
  (func (export "f") (result u32) (canon lift (core func $i "f"))))"#;

/// Machine code of the large component, at least.
const LARGE_BYTES: u64 = 10 << 20;

fn main() -> Result<()> {
    let options = Options::read();
    let mut report = Report::new("typed");
    report.add(reflection(options)?);
    report.add(empty_call(options)?);
    for (shapes, points) in [(1, 3), (10, 100)] {
        conversion(options, &mut report, shapes, points)?;
    }
    report.add(large_load(options)?);
    report.note("a conversion's input and output are texts of JSON; ours goes by the types of the component");
    report.print(options);
    Ok(())
}

fn reflection(options: Options) -> Result<Group> {
    let wasm = files_wasm()?;
    let stored = serde_json::to_vec(&reflect(wasm)?)?;
    Contest::new("tools of a component of five functions")
        .subject("read from its types", || {
            black_box(reflect(wasm)?);
            Ok(())
        })
        .subject("read from what is stored of it", || {
            black_box(serde_json::from_slice::<ToolSet>(&stored)?);
            Ok(())
        })
        .run(options.pick(1, 20), options.pick(2, 50))
}

fn empty_call(options: Options) -> Result<Group> {
    let wasm = wat::parse_str(EMPTY)?;
    let bare = Bare::new(&wasm, "f").map_err(plain)?;
    let hands = Hands::new()?;
    let component = hands.load("empty", wasm)?;
    let kept = hands.hand(&component, None)?;
    let input = json!({});
    Contest::new("call of a typed function that does nothing")
        .subject("kept hand", || {
            let ended = hands.wait(kept.execute("f", &input, CallOptions::default()));
            black_box(ended);
            Ok(())
        })
        .subject("bare wasmtime, a fresh instance", || {
            black_box(hands.wait(bare.call()).map_err(plain)?);
            Ok(())
        })
        .run(options.pick(1, 20), options.pick(2, 500))
}

fn conversion(options: Options, report: &mut Report, shapes: usize, points: usize) -> Result<()> {
    let engine = running_engine(0).map_err(plain)?;
    let component = Component::new(&engine, wat::parse_str(SHAPES)?).map_err(plain)?;
    let export = Export {
        interface: None,
        function: "take".to_owned(),
    };
    let function = function_type(&engine, &component, &export).context("no function")?;
    let (_, list) = function.params().next().context("no parameter")?;
    let shape = |number: usize| Shape {
        name: format!("shape {number}"),
        points: (0..points)
            .map(|point| Point {
                x: point as f64 / 3.0,
                y: -1.5,
                label: point.is_multiple_of(2).then(|| "corner".to_owned()),
            })
            .collect(),
        is_closed: number.is_multiple_of(2),
    };
    let input = Input {
        shapes: (0..shapes).map(shape).collect(),
    };
    let text = serde_json::to_string(&input)?;
    let title = format!("{shapes} records with {points} each, {} bytes", text.len());
    let read = || -> Result<Vec<Val>> {
        let value: Value = serde_json::from_str(&text)?;
        Ok(json_to_params(&function, &value)?)
    };
    let values = read()?;
    ensure!(values.len() == 1, "one parameter");
    report.add(
        Contest::new(format!("JSON to values: {title}"))
            .subject("to values of the component", || {
                black_box(read()?);
                Ok(())
            })
            .subject("serde_json to a struct", || {
                black_box(serde_json::from_str::<Input>(&text)?);
                Ok(())
            })
            .run(options.pick(1, 20), options.pick(2, 100))?,
    );
    report.add(
        Contest::new(format!("values to JSON: {title}"))
            .subject("from values of the component", || {
                black_box(val_to_json(&list, &values[0])?.to_string());
                Ok(())
            })
            .subject("serde_json from a struct", || {
                black_box(serde_json::to_string(&input.shapes)?);
                Ok(())
            })
            .run(options.pick(1, 20), options.pick(2, 100))?,
    );
    Ok(())
}

/// A component with a lot of code.
fn large(functions: usize) -> String {
    let mut text = String::from("(component (core module $m (memory (export \"m\") 1)");
    for number in 0..functions {
        let _ = write!(
            text,
            "(func (export \"f{number}\") (param i32) (result i32) (local.get 0)"
        );
        for step in 0..40 {
            let _ = write!(
                text,
                "(i32.const {}) (i32.mul) (i32.load offset={step}) ",
                number + step
            );
        }
        text.push(')');
    }
    text.push_str(
        r#") (core instance $i (instantiate $m))
        (func (export "f") (param "n" s32) (result s32) (canon lift (core func $i "f0"))))"#,
    );
    text
}

fn runtime(folder: &Path) -> Result<Runtime> {
    Ok(Runtime::new(RuntimeConfig {
        processes_max: 0,
        ..RuntimeConfig::new(folder.to_owned(), CompilerCommand::this_program("none")?)
    })?)
}

fn large_load(options: Options) -> Result<Group> {
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let folder = tempfile::tempdir()?;
    let wasm = wat::parse_str(large(options.pick(100, 12_000)))?;
    let source = || ComponentSource::new("large", wasm.clone(), Trust::Embedded);
    let first = runtime(folder.path())?;
    tokio.block_on(first.add(source()))?;
    let artefact = artefact(folder.path())?;
    let bytes = std::fs::metadata(&artefact)?.len();
    ensure!(bytes >= options.pick(0, LARGE_BYTES), "{bytes} bytes");
    Contest::new(format!(
        "load of a component of {} bytes that was compiled to {bytes}",
        wasm.len()
    ))
    .subject("found, checked and mapped", || {
        tokio.block_on(first.add(source()))?;
        Ok(())
    })
    .subject("the bytes of its machine code read", || {
        black_box(std::fs::read(&artefact)?);
        Ok(())
    })
    .run(options.pick(1, 10), options.pick(1, 5))
}

/// Returns the file with the machine code of the only component in a store.
fn artefact(folder: &Path) -> Result<std::path::PathBuf> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "cwasm") {
                return Ok(path);
            }
        }
    }
    anyhow::bail!("no machine code is stored")
}
