//! Guests that take what they are not given, each with the limit that ends it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sinew_runtime::{
    CallOptions, Execution, Hand, HostFault, Limit, Limits, NoEgress, Outcome, Resources, Runtime,
    RuntimeConfig,
};
use tokio_util::sync::CancellationToken;

use super::{add, compiler, fixture, guests};

const MIB: u64 = 1 << 20;

async fn hand(runtime: &Runtime, limits: Limits) -> Hand {
    let tools = add(runtime, "tools", guests::TOOLS).await;
    runtime
        .provision(Resources::default().component(tools).limits(limits))
        .unwrap()
}

async fn call(hand: &Hand, name: &str, input: Value) -> Execution {
    hand.execute(name, &input, CallOptions::default()).await
}

fn assert_limit(execution: &Execution, limit: Limit) {
    assert!(
        matches!(execution.outcome, Outcome::LimitHit(hit) if hit == limit),
        "expected {limit:?}, got {:?}",
        execution.outcome
    );
}

fn assert_result(execution: &Execution, text: &str) {
    let Outcome::Result(content) = &execution.outcome else {
        panic!("expected {text}, got {:?}", execution.outcome);
    };
    assert_eq!(
        content,
        &[sinew_runtime::typed::Content::Text(text.to_owned())]
    );
}

/// Waits for what must happen without saying when; the bound only keeps a failing test from hanging.
async fn eventually(what: impl Future<Output = ()>) {
    let patience = Duration::from_secs(60);
    tokio::time::timeout(patience, what)
        .await
        .expect("it never happened");
}

#[tokio::test]
async fn each_limit_ends_the_call_that_reaches_it() {
    let fixture = fixture();
    let short = Duration::from_millis(50);
    let cases = [
        (
            "eat_memory",
            json!({}),
            Limits {
                memory_bytes: 64 * MIB,
                ..Limits::default()
            },
            Limit::Memory,
        ),
        (
            "eat_memory",
            json!({}),
            Limits {
                hand_memory_bytes: 64 * MIB,
                ..Limits::default()
            },
            Limit::HandMemory,
        ),
        // Its very first memory is too large.
        (
            "count",
            json!({}),
            Limits {
                memory_bytes: 1,
                ..Limits::default()
            },
            Limit::Memory,
        ),
        (
            "eat_table",
            json!({}),
            Limits {
                table_elements: 50_000,
                ..Limits::default()
            },
            Limit::TableElements,
        ),
        // More than the pool has for one table.
        (
            "eat_table",
            json!({}),
            Limits::default(),
            Limit::TableElements,
        ),
        (
            "recurse",
            json!({"depth": 0}),
            Limits::default(),
            Limit::Stack,
        ),
        (
            "spin",
            json!({}),
            Limits {
                wall_time: short,
                ..Limits::default()
            },
            Limit::WallTime,
        ),
        (
            "spin",
            json!({}),
            Limits {
                cpu_time: short,
                ..Limits::default()
            },
            Limit::CpuTime,
        ),
        (
            "zeros",
            json!({"size": 2 * MIB}),
            Limits {
                output_bytes: MIB,
                ..Limits::default()
            },
            Limit::OutputBytes,
        ),
        // More than the engine copies out of a guest.
        (
            "zeros",
            json!({"size": 200 * MIB}),
            Limits {
                output_bytes: MIB,
                ..Limits::default()
            },
            Limit::OutputBytes,
        ),
        (
            "count",
            json!({}),
            Limits {
                instances: 0,
                ..Limits::default()
            },
            Limit::Instances,
        ),
        (
            "count",
            json!({}),
            Limits {
                processes: 0,
                ..Limits::default()
            },
            Limit::Processes,
        ),
    ];
    for (name, input, limits, limit) in cases {
        let hand = hand(&fixture.runtime, limits).await;
        let execution = call(&hand, name, input).await;
        assert_limit(&execution, limit);
    }
}

#[tokio::test]
async fn a_limit_is_no_end_for_a_guest_that_copes() {
    let fixture = fixture();
    let limits = Limits {
        memory_bytes: 64 * MIB,
        ..Limits::default()
    };
    let hand = hand(&fixture.runtime, limits).await;
    assert_result(&call(&hand, "grow", json!({"pages": 100})).await, "true");
    let refused = call(&hand, "grow", json!({"pages": 10_000})).await;
    assert_result(&refused, "false");
    assert_eq!(refused.metrics.memory_peak_bytes, MIB / 16);
}

#[tokio::test]
async fn a_component_of_too_many_instances_is_ended_before_it_empties_the_pool() {
    let fixture = fixture();
    let many = add(&fixture.runtime, "many", &guests::many_instances(120)).await;
    let hand = fixture
        .runtime
        .provision(Resources::default().component(many))
        .unwrap();
    assert_limit(&call(&hand, "answer", json!({})).await, Limit::Instances);
}

#[tokio::test]
async fn a_timeout_of_the_call_is_shorter_than_the_hands() {
    let fixture = fixture();
    let hand = hand(&fixture.runtime, Limits::default()).await;
    let options = CallOptions {
        timeout: Some(Duration::from_millis(20)),
        ..CallOptions::default()
    };
    let execution = hand.execute("spin", &json!({}), options).await;
    assert_limit(&execution, Limit::WallTime);
    assert!(execution.metrics.cpu_time > Duration::ZERO);
}

#[tokio::test]
async fn busy_guests_hold_up_no_neighbour_and_can_be_cancelled() {
    let fixture = fixture();
    let hostile = hand(&fixture.runtime, Limits::default()).await;
    let neighbour = hand(&fixture.runtime, Limits::default()).await;
    let cancel = CancellationToken::new();
    // More than there are threads for guests.
    let spinning = (0..6).map(async |_| {
        let options = CallOptions {
            cancel: cancel.clone(),
            ..CallOptions::default()
        };
        hostile.execute("spin", &json!({}), options).await.outcome
    });
    let (spun, ()) = tokio::join!(futures::future::join_all(spinning), async {
        for _ in 0..20 {
            let execution = call(&neighbour, "echo", json!({"text": "here"})).await;
            assert_result(&execution, "here");
        }
        cancel.cancel();
    });
    for outcome in spun {
        assert!(matches!(outcome, Outcome::Cancelled), "{outcome:?}");
    }
    assert_result(&call(&hostile, "count", json!({})).await, "1");
}

#[tokio::test]
async fn memory_is_summed_over_the_calls_of_a_hand_and_given_back() {
    let fixture = fixture();
    let limits = Limits {
        hand_memory_bytes: 100 * MIB,
        ..Limits::default()
    };
    let hand = hand(&fixture.runtime, limits).await;
    let pages = json!({"pages": 1_000});
    assert_result(&call(&hand, "grow", pages.clone()).await, "true");

    let cancel = CancellationToken::new();
    let options = CallOptions {
        cancel: cancel.clone(),
        ..CallOptions::default()
    };
    let (held, ()) = tokio::join!(hand.execute("grow_and_spin", &pages, options), async {
        // Until the other call has its memory, there is room for this one.
        loop {
            let execution = call(&hand, "grow", pages.clone()).await;
            let Outcome::Result(content) = &execution.outcome else {
                panic!("{:?}", execution.outcome);
            };
            if content == &[sinew_runtime::typed::Content::Text("false".to_owned())] {
                break;
            }
        }
        cancel.cancel();
    });
    // The held call may have met the limit itself, while the other one had its memory.
    assert!(
        matches!(
            held.outcome,
            Outcome::Cancelled | Outcome::LimitHit(Limit::HandMemory)
        ),
        "{:?}",
        held.outcome
    );
    assert_result(&call(&hand, "grow", pages).await, "true");
}

#[tokio::test]
async fn dropping_a_call_ends_its_process() {
    let fixture = fixture();
    let limits = Limits {
        processes: 1,
        ..Limits::default()
    };
    let hand = hand(&fixture.runtime, limits).await;
    {
        let spin = json!({});
        let mut dropped = Box::pin(hand.execute("spin", &spin, CallOptions::default()));
        assert!(futures::poll!(&mut dropped).is_pending());
        assert_limit(&call(&hand, "count", json!({})).await, Limit::Processes);
    }
    eventually(hand.idle()).await;
    assert_result(&call(&hand, "count", json!({})).await, "1");
}

#[tokio::test]
async fn a_dropped_call_ends_even_when_nothing_else_runs() {
    let fixture = fixture();
    let tools = add(&fixture.runtime, "tools", guests::TOOLS).await;
    // Held by the process for as long as it exists.
    let egress = Arc::new(NoEgress);
    let held = Arc::downgrade(&egress);
    let resources = Resources::default().component(tools).egress(egress);
    let dropped = fixture.runtime.provision(resources).unwrap();
    let neighbour = hand(&fixture.runtime, Limits::default()).await;
    {
        let spin = json!({});
        let mut spinning = Box::pin(dropped.execute("spin", &spin, CallOptions::default()));
        assert!(futures::poll!(&mut spinning).is_pending());
        // By the end of a later call the earlier one runs.
        assert_result(&call(&neighbour, "count", json!({})).await, "1");
    }
    drop((dropped, neighbour, fixture));
    eventually(async {
        while held.strong_count() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_full_pool_is_the_hosts_fault() {
    let data = tempfile::tempdir().unwrap();
    let mut config = RuntimeConfig::new(data.path().to_owned(), compiler());
    config.processes_max = 1;
    let runtime = Runtime::new(config).unwrap();
    let hand = hand(&runtime, Limits::default()).await;
    let is_busy = |outcome: &Outcome| matches!(outcome, Outcome::HostFault(HostFault::Busy(_)));
    let spin = json!({});
    let mut spinning = Box::pin(hand.execute("spin", &spin, CallOptions::default()));
    loop {
        // Whichever call comes second is refused.
        if let std::task::Poll::Ready(execution) = futures::poll!(&mut spinning) {
            break assert!(is_busy(&execution.outcome), "{execution:?}");
        }
        let execution = call(&hand, "count", json!({})).await;
        if is_busy(&execution.outcome) {
            break;
        }
        assert_result(&execution, "1");
    }
    drop(spinning);
}
