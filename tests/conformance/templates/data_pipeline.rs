//! A pipeline that loses orders, mended under a plan and a check that nobody gets past.

use anyhow::{Result, ensure};
use sinew_tests::cli::Cli;
use sinew_tests::log_rules::{self, of_kind, text_of};

use super::{copied, created, example, session, world_in};
use crate::PROGRAM;

/// It tries to bend the data and the check, by tools and by the shell, claims to be done, and then mends the step that is
/// wrong.
const SCRIPT: &str = r#"
conversations:
  - when: {system_contains: You debug a data pipeline}
    turns:
      - tools:
          - {name: bash, input: {command: "sh run.sh; sh check.sh; wc -l data/*.csv; cut -d, -f2 data/orders.csv | sort | uniq -c"}}
          - {name: edit, input: {file_path: /workspace/steps/2_join.sh, old_string: "on orders.customer", new_string: "on lower(orders.customer)"}}
      - tools: [{name: make_plan, input: {steps: [{title: Join whatever the case of the key.}]}}]
      - tools:
          - {name: edit, input: {file_path: /workspace/data/orders.csv, old_string: "C2", new_string: "c2"}}
          - {name: write, input: {file_path: /workspace/check.sh, content: "exit 0"}}
      - tools: [{name: bash, input: {command: "cp -R data check.sh /tmp && echo exit 0 > check.sh && sed -i s,C,c, data/orders.csv"}}]
      - tools: [{name: finish_step, input: {step: 1, summary: The check passes.}}]
      - tools: [{name: bash, input: {command: "cp -R /tmp/data /tmp/check.sh ."}}]
      - tools: [{name: finish_step, input: {step: 1, summary: It should work now.}}]
      - tools: [{name: edit, input: {file_path: /workspace/steps/2_join.sh, old_string: "on orders.customer", new_string: "on lower(orders.customer)"}}]
      - tools: [{name: finish_step, input: {step: 1, summary: Keys are compared in lower case.}}]
      - text: "Two orders of seven were lost, since their customers' ids are written with a capital: ${last_tool_result}"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_is_mended_when_its_check_says_so() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let pipeline = folder.path().join("pipeline");
    copied(&example("data-pipeline/sample"), &pipeline)?;
    let world = world_in(PROGRAM, SCRIPT, &pipeline).await?;
    let client = &world.client;
    let cli = Cli::new(PROGRAM, &client.url, folder.path());
    let agent = created(&cli, &example("data-pipeline/debugger.yaml"))?;
    let id = session(&world, &agent).await?;
    client
        .message(&id, "The revenue of March is too low.")
        .await?;
    let events = client.until_idle(&id, "end_turn").await?;
    log_rules::check(&events)?;
    let results: Vec<String> = of_kind(&events, "agent.tool_result")
        .into_iter()
        .map(text_of)
        .collect();
    ensure!(
        results[1].contains("came in: 7 11100, in the result: 5 9200"),
        "{results:#?}"
    );
    ensure!(results[0].contains("make a plan"), "{results:#?}");
    ensure!(
        results[3].contains("The data is what came in."),
        "{results:#?}"
    );
    ensure!(
        results[4].contains("The check says what is right."),
        "{results:#?}"
    );
    ensure!(
        results[6].contains("1 of 4 attempts")
            && results[6].contains("check.sh: FAILED")
            && results[6].contains("data/orders.csv: FAILED"),
        "{results:#?}"
    );
    ensure!(
        results[8].contains("2 of 4 attempts") && results[8].contains("5 9200"),
        "{results:#?}"
    );
    ensure!(
        results[10].contains("Step 1 is done") && results[10].contains("all 7 11100"),
        "{results:#?}"
    );
    let revenue = std::fs::read_to_string(pipeline.join("out/revenue.csv"))?;
    ensure!(
        revenue.replace('\r', "").contains("2026-03,3,5600\n"),
        "{revenue}"
    );
    let said = of_kind(&events, "agent.message");
    ensure!(said.len() == 1 && text_of(said[0]).contains("Two orders of seven"));
    Ok(())
}
