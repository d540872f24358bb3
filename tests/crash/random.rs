//! Kills at random instants over several sessions at work.

use std::time::Duration;

use anyhow::Result;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use sinew_tests::client::{Client, idle_reason};
use sinew_tests::log_rules::{self, of_kind, text_of};
use sinew_tests::world::World;

use crate::{PROGRAM, Seen, seed};

/// Kills.
const KILLS: usize = 30;
/// Sessions at work at the same time.
const SESSIONS: usize = 4;
/// Longest time that a daemon lives before it is killed.
const LIFE_MS_MAX: u64 = 250;

/// Each round writes two files, looks at them, and says so.
const SCRIPT: &str = r#"
chunk_chars: 3
delay_ms: 2
rules:
  - when: {tool_result_contains: "mark"}
    text: "Round done: ${last_tool_result}"
  - when: {tool_result_contains: "wrote"}
    tools: [{name: grep, input: {pattern: "mark", path: "${last_user_text}"}}]
otherwise:
  thinking: A round.
  text: I write two files.
  tools:
    - {name: write, input: {file_path: "${last_user_text}/a.txt", content: "mark a\n"}}
    - {name: write, input: {file_path: "${last_user_text}/b.txt", content: "mark b\n"}}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn thirty_kills_lose_and_double_nothing() -> Result<()> {
    let mut random = StdRng::seed_from_u64(seed()?);
    let mut world = World::start(PROGRAM, SCRIPT).await?;
    let client = world.client.clone();
    let mut sessions: Vec<Work> = Vec::new();
    for _ in 0..SESSIONS {
        sessions.push(Work::new(&client).await?);
    }
    let mut rounds = 0;
    for _ in 0..KILLS {
        let mut followers = Vec::new();
        for work in &mut sessions {
            followers.push(work.seen.follow(&client, &work.id).await?);
            // A finished session gets its next round; one at work is left alone.
            if idle_reason(&client.events(&work.id).await?).is_some() || work.rounds == 0 {
                work.start_round(&client).await?;
                rounds += 1;
            }
        }
        // The instant of the kill, not a wait for something.
        tokio::time::sleep(Duration::from_millis(random.random_range(0..LIFE_MS_MAX))).await;
        world.kill()?;
        for follower in followers {
            follower.await?;
        }
        world.restart()?;
    }
    let seen: usize = sessions.iter().map(|work| work.seen.count()).sum();
    println!(
        "{rounds} rounds, {seen} events seen by clients, {} model requests",
        world.model.request_count()
    );
    assert!(rounds > SESSIONS, "the sessions got nowhere");
    for work in &sessions {
        let events = client.until_idle(&work.id, "end_turn").await?;
        work.check(&events, &world)?;
    }
    assert!(world.stop()?.success());
    for work in &sessions {
        log_rules::check_stored(&world.options.data, &work.id).await?;
    }
    Ok(())
}

/// One session and what is known of it.
struct Work {
    id: String,
    seen: Seen,
    rounds: usize,
}

impl Work {
    async fn new(client: &Client) -> Result<Self> {
        Ok(Self {
            id: client.new_session("claude-sonnet-4-6").await?,
            seen: Seen::default(),
            rounds: 0,
        })
    }

    async fn start_round(&mut self, client: &Client) -> Result<()> {
        let sent = client
            .message(&self.id, &format!("round-{}", self.rounds))
            .await?;
        self.seen.add(&sent["data"][0]);
        self.rounds += 1;
        Ok(())
    }

    fn check(&self, events: &[Value], world: &World) -> Result<()> {
        log_rules::check(events)?;
        self.seen.check(events);
        let asked: Vec<String> = of_kind(events, "user.message")
            .iter()
            .map(|event| text_of(event))
            .collect();
        let expected: Vec<String> = (0..self.rounds)
            .map(|round| format!("round-{round}"))
            .collect();
        assert_eq!(asked, expected);
        let calls = of_kind(events, "agent.tool_use").len();
        assert_eq!(
            calls,
            3 * self.rounds,
            "each round makes three calls, once each"
        );
        let done: Vec<String> = of_kind(events, "agent.message")
            .iter()
            .map(|event| text_of(event))
            .filter(|text| text.starts_with("Round done"))
            .collect();
        let found = |round: &String| {
            format!(
                "Round done: /workspace/{round}/a.txt:1:mark a\n/workspace/{round}/b.txt:1:mark b"
            )
        };
        assert_eq!(done, expected.iter().map(found).collect::<Vec<_>>());
        for round in &expected {
            for name in ["a", "b"] {
                let file = world
                    .workspace(&self.id)
                    .join(round)
                    .join(format!("{name}.txt"));
                assert_eq!(std::fs::read_to_string(file)?, format!("mark {name}\n"));
            }
        }
        Ok(())
    }
}
