//! `sinew session plan`: what a session's agents planned and how far they are, and their limits.

use anyhow::Result;
use serde_json::Value;

use super::resource::{One, text};
use crate::json::Fields as _;

/// Shows the plans of a session's agents, and what the session learns.
pub(super) async fn plan(one: One) -> Result<()> {
    let client = one.daemon.client()?;
    let path = format!("/sinew/v1/sessions/{}/supervision", one.id);
    let told = client.get(&path).await?;
    if one.daemon.json {
        say!("{told}");
        return Ok(());
    }
    let agents = told.at("agents").as_array().map_or(&[][..], Vec::as_slice);
    let is_limited = told
        .at("limits")
        .as_array()
        .is_some_and(|limits| !limits.is_empty());
    if agents.is_empty() && !is_limited && told.at("preferences").is_null() {
        say!("no agent of this session is supervised");
    }
    for agent in agents {
        say_agent(agent);
    }
    for limits in told.at("limits").as_array().into_iter().flatten() {
        say!("{}", limits_line(limits));
    }
    let preferences = told.at("preferences");
    if preferences.is_object() {
        say!(
            "preferences in {} of {}",
            text(preferences.at("path")),
            text(preferences.at("memory_store_id"))
        );
        for line in text(preferences.at("applied")).lines() {
            say!("  {line}");
        }
        for said in preferences
            .at("corrections")
            .as_array()
            .into_iter()
            .flatten()
        {
            say!("  to be learned: {}", text(said));
        }
    }
    Ok(())
}

/// Returns what an agent may do at the most, as a line.
fn limits_line(limits: &Value) -> String {
    let mut line = format!(
        "{}  {}  may start {} at a time, {} in all, {} level(s) deep",
        text(limits.at("session_thread_id")),
        text(limits.at("agent_name")),
        limits.at("breadth"),
        limits.at("agents"),
        limits.at("depth"),
    );
    if let Some(cents) = limits.at("spend").at("amount").as_str() {
        line.push_str(&format!("; at most {cents} cents"));
    }
    if let Some(seconds) = limits.at("seconds").as_u64() {
        line.push_str(&format!("; at most {seconds} s"));
    }
    if let Some(tools) = limits.at("tools").as_array() {
        let tools: Vec<String> = tools.iter().map(text).collect();
        line.push_str(&format!("; only {}", tools.join(", ")));
    }
    line
}

fn say_agent(agent: &Value) {
    let mut line = format!(
        "{}  {}",
        text(agent.at("session_thread_id")),
        text(agent.at("agent_name"))
    );
    if *agent.at("questions_required") != 0 {
        line.push_str(&format!(
            "  asked {} of {} questions",
            agent.at("questions_answered"),
            agent.at("questions_required")
        ));
    }
    if *agent.at("failed_validations") != 0 {
        line.push_str(&format!(
            "  {} validations failed in a row",
            agent.at("failed_validations")
        ));
    }
    if *agent.at("is_stopped") == true {
        line.push_str("  stopped");
    }
    say!("{line}");
    for step in agent.at("steps").as_array().into_iter().flatten() {
        let mark = match step.at("status").as_str() {
            Some("done") => "x",
            Some("given_up") => "-",
            _ => " ",
        };
        let sure = step.at("confidence").as_f64();
        let sure = sure.map(|score| format!("  ({score})")).unwrap_or_default();
        say!(
            "  [{mark}] {}. {}{sure}",
            step.at("step"),
            text(step.at("title"))
        );
        if let Some(command) = step.at("validation").as_str() {
            say!("         {}", command.replace('\n', "\n         "));
        }
    }
}
