//! The conformance package of MCP, its client scenarios against the daemon's connector. What is expected to fail, and why,
//! is in `baseline.yaml`; the package refuses an entry there that does not fail.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};
use sinew_tests::node;

/// The connector as a program.
const CLIENT: &str = env!("CARGO_BIN_EXE_mcp-client-under-test");

#[tokio::test(flavor = "multi_thread")]
async fn the_connector_conforms() -> Result<()> {
    let node = tokio::task::spawn_blocking(node::with_mcp_conformance).await??;
    let baseline = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/mcp/baseline.yaml");
    let results = tempfile::tempdir()?;
    let mut command = Command::new(&node.program);
    command
        .arg(
            node.folder
                .join("node_modules/@modelcontextprotocol/conformance/dist/index.js"),
        )
        .args([
            "client",
            "--suite",
            "all",
            "--command",
            CLIENT,
            "--expected-failures",
        ])
        .arg(baseline)
        .arg("--output-dir")
        .arg(results.path())
        .current_dir(results.path());
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&output.stdout) + &text(&output.stderr);
    ensure!(output.status.success(), "it says:\n{said}");
    ensure!(said.contains("tools_call"), "nothing was tried:\n{said}");
    Ok(())
}
