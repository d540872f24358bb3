//! Rules joined, and whatever a model may send as a plan, as questions or as the end of a step.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::plan::StepStatus;
use super::{Below, Supervised, Supervision, questions_in, read_plan};

fn block() -> impl Strategy<Value = Value> {
    let free = prop::sample::subsequence(vec!["bash", "write", "files__put"], 0..=3);
    let plan = prop::option::of((free, any::<bool>()));
    let validation = prop::option::of((0u64..4, prop::option::of("[a-z]{1,5}")));
    let confidence = prop::option::of((1u32..=10, any::<bool>()));
    (plan, prop::option::of(1u64..4), validation, confidence).prop_map(
        |(plan, questions, validation, confidence)| {
            let mut block = json!({});
            if let Some((free, is_approved)) = plan {
                let approval = if is_approved { "person" } else { "none" };
                block["plan"] =
                    json!({"type": "required", "approval": approval, "free_tools": free});
            }
            if let Some(min) = questions {
                block["questions"] = json!({"min": min});
            }
            if let Some((retries, command)) = validation {
                block["validation"] = json!({"retries": retries, "command": command});
            }
            if let Some((tenths, is_person)) = confidence {
                let below = match is_person {
                    true => json!({"type": "person"}),
                    false => json!({"type": "advisor", "model": "m"}),
                };
                block["confidence"] =
                    json!({"threshold": f64::from(tenths) / 10.0, "below": below});
            }
            block
        },
    )
}

fn supervised() -> impl Strategy<Value = Supervised> {
    (0u32..4, any::<bool>(), 0usize..3, any::<bool>()).prop_map(
        |(answered, is_stopped, steps, is_done)| {
            let step = json!({"title": "Do it."});
            let mut plan = read_plan(&json!({"steps": vec![step; steps.max(1)]})).unwrap();
            plan.truncate(steps);
            if is_done {
                plan.iter_mut()
                    .for_each(|step| step.status = StepStatus::Done);
            }
            Supervised {
                plan,
                answered,
                is_stopped,
                ..Supervised::default()
            }
        },
    )
}

proptest! {
    /// Whatever one of two blocks forbids, both together forbid.
    #[test]
    fn rules_that_are_joined_are_as_strict_as_each(
        one in block(),
        two in block(),
        supervised in supervised(),
        score in 0.0f64..=1.0,
        advices in 0u32..2,
    ) {
        let [one, two] = [one, two].map(|block| Supervision::of_block(&block));
        let both = one.clone().joined(two.clone());
        for rules in [&one, &two] {
            for tool in ["bash", "write", "files__put", "other"] {
                let is_barred = rules.barrier(&supervised, tool).is_some();
                prop_assert!(!is_barred || both.barrier(&supervised, tool).is_some(), "{tool}");
            }
            prop_assert!(both.retries() <= rules.retries() || rules.validation.is_none());
            for command in rules.commands(None) {
                prop_assert!(both.commands(None).contains(&command));
            }
            match rules.below(score, advices) {
                None => {}
                Some(Below::Person) => prop_assert_eq!(both.below(score, advices), Some(&Below::Person)),
                Some(Below::Advisor(_)) => prop_assert!(both.below(score, advices).is_some()),
            }
            prop_assert!(both.is_approved || !rules.is_approved);
        }
    }

    /// Whatever a model sends as a plan or as the end of a step, nothing breaks and no step appears.
    #[test]
    fn whatever_is_sent_breaks_nothing(step in any::<i64>(), outcome in "[a-z_]{0,8}", confidence in any::<f64>()) {
        let input = json!({"step": step, "outcome": outcome, "confidence": confidence});
        let mut supervised = Supervised {
            plan: read_plan(&json!({"steps": [{"title": "One."}, {"title": "Two."}]})).unwrap(),
            ..Supervised::default()
        };
        supervised.finish(&input);
        prop_assert_eq!(supervised.plan.len(), 2);
        let ended = supervised.plan.iter().filter(|step| step.status != StepStatus::Open).count();
        prop_assert_eq!(ended, usize::from(step == 1 || step == 2));
    }
}

#[test]
fn a_plan_has_steps_that_say_something() {
    let plan = |steps: Value| read_plan(&json!({"steps": steps}));
    for (steps, fragment) in [
        (json!([]), "1 to 50"),
        (json!("x"), "1 to 50"),
        (json!(vec![json!({"title": "a"}); 51]), "1 to 50"),
        (json!([{"title": " "}]), "title of step 1"),
        (
            json!([{"title": "a"}, {"title": "a".repeat(501)}]),
            "title of step 2",
        ),
        (
            json!([{"title": "a", "validation": 7}]),
            "validation of step 1",
        ),
        (
            json!([{"title": "a", "validation": "x".repeat(4_001)}]),
            "validation of step 1",
        ),
        (
            json!([{"title": "a", "confidence": 2}]),
            "confidence of step 1",
        ),
    ] {
        let error = plan(steps.clone()).unwrap_err();
        assert!(error.contains(fragment), "{steps}: {error}");
    }
    let steps = plan(json!([{"title": " a ", "validation": " ", "confidence": 1}])).unwrap();
    assert_eq!(
        (steps[0].title.as_str(), &steps[0].validation),
        ("a", &None)
    );
}

#[test]
fn a_question_counts_once() {
    let questions =
        |questions: Value| questions_in(&json!({"questions": questions})).map(|asked| asked.len());
    assert_eq!(
        questions(json!([{"question": "a"}, {"question": " a"}, {"question": "b"}])),
        Ok(2)
    );
    for wrong in [
        json!([]),
        json!(["a"]),
        json!([{"question": ""}]),
        json!([{"question": "x".repeat(1_001)}]),
    ] {
        assert!(questions(wrong.clone()).is_err(), "{wrong}");
    }
}
