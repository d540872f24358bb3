//! Calls that go well, and calls that a tool or its caller ends.

use serde_json::json;
use sinew_runtime::typed::Content;
use sinew_runtime::typed::docs::WitSources;
use sinew_runtime::{CallOptions, Hand, Outcome, ProvisionError, Resources, Trust};

use super::{add, fixture, guests, source};

async fn call(hand: &Hand, name: &str, input: serde_json::Value) -> Outcome {
    hand.execute(name, &input, CallOptions::default())
        .await
        .outcome
}

#[tokio::test]
async fn a_call_ends_in_a_result_or_a_refusal() {
    let fixture = fixture();
    let tools = add(&fixture.runtime, "tools", guests::TOOLS).await;
    let hand = fixture
        .runtime
        .provision(Resources::default().component(tools))
        .unwrap();

    let result = |text: &str| format!("{:?}", Outcome::Result(vec![Content::Text(text.into())]));
    let refused = |text: &str| format!("ToolError([Text({text:?}");
    let cases = [
        ("echo", json!({"text": "grüße"}), result("grüße")),
        ("check", json!({"text": "yes"}), result("yes")),
        ("check", json!({"text": ""}), refused("")),
        ("count", json!({}), result("1")),
        // A call starts from nothing: no state is left from the one before.
        ("count", json!({}), result("1")),
        ("fail", json!({}), "Trapped".to_owned()),
        ("echo", json!({"text": "still here"}), result("still here")),
        ("echo", json!({"text": 1}), "ToolError".to_owned()),
        ("echo", json!({}), "ToolError".to_owned()),
        ("echo", json!([1]), "ToolError".to_owned()),
        (
            "nothing",
            json!({}),
            refused("there is no tool")[..32].to_owned(),
        ),
        ("wild", json!({}), "Trapped".to_owned()),
    ];
    for (name, input, expected) in cases {
        let outcome = format!("{:?}", call(&hand, name, input.clone()).await);
        assert!(
            outcome.starts_with(&expected),
            "{name} {input}: expected {expected}, got {outcome}"
        );
    }
}

#[tokio::test]
async fn a_trap_says_where() {
    let fixture = fixture();
    let tools = add(&fixture.runtime, "tools", guests::TOOLS).await;
    let hand = fixture
        .runtime
        .provision(Resources::default().component(tools))
        .unwrap();
    let Outcome::Trapped { message } = call(&hand, "fail", json!({})).await else {
        panic!("not trapped");
    };
    assert!(message.contains("unreachable"), "{message}");
    assert!(message.contains("in fail"), "{message}");
}

#[tokio::test]
async fn a_hand_has_the_tools_it_was_given() {
    let fixture = fixture();
    let runtime = &fixture.runtime;
    assert!(
        runtime
            .provision(Resources::default())
            .unwrap()
            .definitions()
            .is_empty()
    );

    let mut one = source("one", &guests::answer(1), Trust::Untrusted);
    let wit =
        "package acme:one; world tool { /// The first number.\n export answer: func() -> u32; }";
    one.wit = Some(WitSources::Files(vec![(
        "tool.wit".to_owned(),
        wit.to_owned(),
    )]));
    let one = runtime.add(one).await.unwrap();
    let two = add(runtime, "two", &guests::answer(2)).await;
    let hand = runtime
        .provision(Resources::default().component(one.clone()))
        .unwrap();
    let definitions = hand.definitions();
    let [answer] = definitions.as_slice() else {
        panic!("{definitions:?}");
    };
    assert_eq!(answer.name, "answer");
    assert_eq!(answer.description, "The first number.");
    assert_eq!(answer.input_schema["additionalProperties"], json!(false));

    let both = Resources::default()
        .component(one.clone())
        .component_with_prefix(two.clone(), "two_");
    let hand = runtime.provision(both).unwrap();
    for (name, number) in [("answer", "1"), ("two_answer", "2")] {
        let outcome = call(&hand, name, json!({})).await;
        let expected = [Content::Text(number.to_owned())];
        assert!(
            matches!(&outcome, Outcome::Result(content) if *content == expected),
            "{outcome:?}"
        );
    }
    for prefix in ["a b", "ä", &"long".repeat(20)] {
        let bad = Resources::default().component_with_prefix(one.clone(), prefix);
        let made = runtime.provision(bad).map(|_| ());
        assert!(
            matches!(made, Err(ProvisionError::ToolName { .. })),
            "{prefix}: {made:?}"
        );
    }

    let both = Resources::default().component(one).component(two);
    let Err(ProvisionError::ToolNameClash {
        tool,
        first,
        second,
    }) = runtime.provision(both)
    else {
        panic!("two tools of one name");
    };
    assert_eq!((&*tool, &*first, &*second), ("answer", "one", "two"));
}

#[tokio::test]
async fn a_call_tells_how_far_it_is_and_cannot_flood() {
    let fixture = fixture();
    let source = sinew_runtime::ComponentSource::new("work", guests::reporting(), Trust::Embedded);
    let component = fixture.runtime.add(source).await.unwrap();
    assert_eq!(component.tools().capabilities, []);
    let hand = fixture
        .runtime
        .provision(Resources::default().component(component))
        .unwrap();
    let heard = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let sink = std::sync::Arc::clone(&heard);
    let options = CallOptions {
        progress: Some(std::sync::Arc::new(move |bytes: &[u8]| {
            sink.lock()
                .unwrap()
                .push_str(std::str::from_utf8(bytes).unwrap());
        })),
        ..CallOptions::default()
    };
    let steps = json!({"steps": 100_000});
    let ended = hand.execute("work", &steps, options).await;
    assert!(matches!(ended.outcome, Outcome::Result(_)), "{ended:?}");
    let said = heard.lock().unwrap().clone();
    assert!(said.starts_with("step (1 of 100000)\n"), "{said}");
    assert!(said.ends_with("step (100000 of 100000)\n"), "{said}");
    assert!(
        said.lines().count() < 10_000,
        "{} lines",
        said.lines().count()
    );
    // Nobody has to listen.
    assert!(matches!(
        call(&hand, "work", steps).await,
        Outcome::Result(_)
    ));
}
