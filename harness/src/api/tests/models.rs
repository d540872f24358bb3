//! `/v1/models`: pages by ids.

use super::*;

#[tokio::test]
async fn pages_by_ids() {
    let server = Server::open();
    // The built-in models stand first; the pages are turned behind the last of them.
    let all = server.get("/v1/models?limit=1000").await.column("id");
    let last = all[all.len() - 5].as_str().unwrap().to_owned();
    for (query, ids, has_more) in [
        (
            &*format!("after_id={last}"),
            &["m1", "m2", "m4", "m5"][..],
            false,
        ),
        (&*format!("limit=2&after_id={last}"), &["m1", "m2"], true),
        ("limit=2&after_id=m2", &["m4", "m5"], false),
        ("limit=1&after_id=m2", &["m4"], true),
        // A retired model still marks a place.
        ("after_id=m3", &["m4", "m5"], false),
        ("limit=2&before_id=m5", &["m2", "m4"], true),
        ("limit=1&before_id=m2", &["m1"], true),
        ("after_id=m5", &[], false),
        (
            "after_id=m1&lifecycle[]=retired&lifecycle%5B%5D=deprecated",
            &["m3", "m4"],
            false,
        ),
        ("before_id=claude-fable-5-2", &[], false),
    ] {
        let page = server.get(&format!("/v1/models?{query}")).await;
        assert_eq!(page.column("id"), ids, "{query}");
        assert_eq!(page.body["has_more"], has_more, "{query}");
        assert_eq!(page.body["first_id"], json!(ids.first()), "{query}");
        assert_eq!(page.body["last_id"], json!(ids.last()), "{query}");
    }
    for bad in [
        "limit=1001",
        "after_id=m9",
        "before_id=m9",
        "after_id=m1&before_id=m2",
        "lifecycle[]=new",
    ] {
        server.get(&format!("/v1/models?{bad}")).await.invalid("");
    }
    assert_eq!(
        server.get("/v1/models/m3").await.body["lifecycle"],
        "retired"
    );
    let model = server.get("/v1/models/claude-opus-5").await.body;
    assert_eq!(model["max_input_tokens"], 1_000_000);
    let capabilities = &model["capabilities"];
    assert_eq!(capabilities["effort"]["xhigh"]["supported"], true);
    assert_eq!(
        capabilities["thinking"]["types"]["adaptive"]["supported"],
        true
    );
    assert_eq!(capabilities["image_input"]["supported"], true);
    server
        .get("/v1/models/m9")
        .await
        .refused(404, "not_found_error", "m9");
}
