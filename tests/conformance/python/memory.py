"""Memory stores: memories, preconditions, versions, and agents that remember."""

import hashlib

from support import *

stores = client.beta.memory_stores


def sha256(content):
    return hashlib.sha256(content.encode()).hexdigest()


def scenario_stores():
    made = [stores.create(name=f"of {os.getpid()}", description="d", metadata={"n": str(n)}) for n in range(3)]
    assert [found.id for found in stores.list(limit=2)][:3] == [store.id for store in made[::-1]]
    changed = stores.update(made[0].id, name="renamed", description=None, metadata={"n": None, "x": "y"})
    assert (changed.name, changed.description, changed.metadata) == ("renamed", "", {"x": "y"})
    assert stores.retrieve(made[0].id) == changed
    archived = stores.archive(made[1].id)
    assert archived.archived_at and stores.archive(made[1].id) == archived
    refused(anthropic.BadRequestError, stores.update, made[1].id, name="x")
    refused(anthropic.BadRequestError, stores.memories.create, made[1].id, path="/a", content="x")
    mount = {"type": "memory_store", "memory_store_id": made[1].id}
    refused(anthropic.BadRequestError, new_session, resources=[mount])
    assert made[1].id not in [store.id for store in stores.list()]
    assert made[1].id in [store.id for store in stores.list(include_archived=True)]
    assert stores.delete(made[2].id).type == "memory_store_deleted"
    refused(anthropic.NotFoundError, stores.retrieve, made[2].id)


def scenario_memories():
    store = stores.create(name="memories").id
    memories = stores.memories
    paths = sorted(f"/{folder}/{n}.md" for folder in ("a", "b") for n in range(7)) + ["/top.md"]
    made = {path: memories.create(store, path=path, content=f"of {path}") for path in reversed(paths)}
    assert made["/top.md"].content == "of /top.md" and made["/top.md"].content_sha256 == sha256("of /top.md")

    # Page by page as it comes, to the end.
    seen, page = [], None
    while True:
        raw = memories.with_raw_response.list(store, limit=4, **({"page": page} if page else {}))
        body = json.loads(raw.text())
        assert len(body["data"]) <= 4 and set(body) == {"data", "next_page"}
        seen += [item["path"] for item in body["data"]]
        page = body["next_page"]
        if page is None:
            break
    assert seen == paths
    folders = list(memories.list(store, depth=1, limit=1))
    assert [(item.type, item.path) for item in folders] == [
        ("memory_prefix", "/a/"), ("memory_prefix", "/b/"), ("memory", "/top.md")]
    inside = list(memories.list(store, path_prefix="/b/", view="full", limit=3))
    assert [item.content for item in inside] == [f"of {path}" for path in paths if path.startswith("/b/")]
    refused(anthropic.BadRequestError, memories.list, store, depth=2)

    taken = refused(anthropic.ConflictError, memories.create, store, path="/top.md", content="x")
    assert taken.body["error"]["type"] == "memory_path_conflict_error"
    assert taken.body["error"]["details"]["conflicting_memory_id"] == made["/top.md"].id
    refused(anthropic.BadRequestError, memories.create, store, path="/x", content="x" * 102_401)

    top = made["/top.md"]
    expects = lambda content: {"type": "content_sha256", "content_sha256": sha256(content)}
    changed = memories.update(top.id, memory_store_id=store, content="new", precondition=expects(top.content))
    assert changed.id == top.id and changed.content == "new"
    failed = refused(anthropic.ConflictError, memories.update, top.id, memory_store_id=store, content="newer",
                     precondition=expects(top.content))
    assert failed.body["error"]["type"] == "memory_precondition_failed_error"
    same = memories.update(top.id, memory_store_id=store, content="new", precondition=expects(top.content))
    assert same == changed, "it is so already"
    moved = memories.update(top.id, memory_store_id=store, path="/moved.md")
    assert (moved.id, moved.path, moved.content) == (top.id, "/moved.md", "new")
    refused(anthropic.ConflictError, memories.delete, top.id, memory_store_id=store, expected_content_sha256=sha256("x"))
    gone = memories.delete(top.id, memory_store_id=store, expected_content_sha256=sha256("new"))
    assert gone.type == "memory_deleted"
    refused(anthropic.NotFoundError, memories.retrieve, top.id, memory_store_id=store)

    versions = list(stores.memory_versions.list(store, memory_id=top.id, limit=2))
    assert [version.operation for version in versions] == ["deleted", "modified", "modified", "created"]
    assert [version.path for version in versions] == ["/moved.md", "/moved.md", "/top.md", "/top.md"]
    read = stores.memory_versions.retrieve(versions[2].id, memory_store_id=store)
    assert read.content == "new" and read.content_sha256 == sha256("new")
    wiped = stores.memory_versions.redact(versions[2].id, memory_store_id=store)
    assert wiped.redacted_at and (wiped.content, wiped.path, wiped.content_sha256) == (None, None, None)
    head = memories.create(store, path="/head", content="x").memory_version_id
    refused(anthropic.BadRequestError, stores.memory_versions.redact, head, memory_store_id=store)


def scenario_agents_remember():
    store = stores.create(name="Shared  Notes!", description="What the team knows.")
    stores.memories.create(store.id, path="/old.md", content="known before")
    fixed = stores.create(name="Fixed")
    stores.memories.create(fixed.id, path="/rules.md", content="be kind")
    resources = [
        {"type": "memory_store", "memory_store_id": store.id, "instructions": "Write down colours."},
        {"type": "memory_store", "memory_store_id": fixed.id, "access": "read_only"},
    ]
    first = new_session(resources=resources)
    shown = [(mount.memory_store_id, mount.mount_path, mount.access, mount.name) for mount in first.resources]
    assert shown == [
        (store.id, "/mnt/memory/shared-notes", "read_write", "Shared  Notes!"),
        (fixed.id, "/mnt/memory/fixed", "read_only", "Fixed")]
    assert first.resources[0].description == "What the team knows."
    assert [mount.memory_store_id for mount in client.beta.sessions.resources.list(first.id)] == [store.id, fixed.id]

    events = turn(first, message("remember the colour"))
    results = [words(result) for result in of_kind(events, "agent.tool_result")]
    assert "known before" in results[0] and "be kind" in results[0], results
    assert "refused-fixed" in results[0] and "refused-root" in results[0], results
    assert "big.md was not saved" in results[2], results
    held = {memory.path: memory.content for memory in stores.memories.list(store.id, view="full")}
    assert held == {"/colour.md": "blue\n", "/deep/number.md": "seven"}, held
    versions = list(stores.memory_versions.list(store.id, session_id=first.id))
    assert sorted((version.operation, version.path) for version in versions) == [
        ("created", "/colour.md"), ("created", "/deep/number.md"), ("deleted", "/old.md")]
    assert all(version.created_by.type == "session_actor" for version in versions)
    assert all(version.created_by.session_id == first.id for version in versions)

    second = new_session(resources=resources[:1])
    events = turn(second, message("which colour was it"))
    assert words(of_kind(events, "agent.message")[-1]) == "It was blue"
    of_store = client.beta.sessions.list(memory_store_id=store.id, order="asc")
    assert [session.id for session in of_store] == [first.id, second.id]
    assert [session.id for session in client.beta.sessions.list(memory_store_id=fixed.id)] == [first.id]

    # What someone else changed in the meantime is not overwritten, and the model is told.
    colour = next(memory for memory in stores.memories.list(store.id) if memory.path == "/colour.md")
    stores.memories.update(colour.id, memory_store_id=store.id, content="green\n")
    events = turn(second, message("which colour was it"))
    assert words(of_kind(events, "agent.message")[-1]) == "It was green"


def scenario_refused_mounts():
    make = lambda **fields: {"type": "memory_store", **fields}
    ids = [stores.create(name=f"m {n}").id for n in range(9)]
    session = new_session(resources=[make(memory_store_id=id) for id in ids[:8]])
    assert len({mount.mount_path for mount in session.resources}) == 8
    refused(anthropic.BadRequestError, new_session, resources=[make(memory_store_id=id) for id in ids])
    refused(anthropic.BadRequestError, new_session, resources=[make(memory_store_id=ids[0])] * 2)
    refused(anthropic.BadRequestError, new_session, resources=[make(memory_store_id=ids[0], access="write")])
    refused(anthropic.BadRequestError, new_session, resources=[make(memory_store_id=ids[0], instructions="x" * 4097)])
    refused(anthropic.NotFoundError, new_session, resources=[make(memory_store_id="memstore_x")])
    same = [stores.create(name="Same Name").id for _ in range(2)]
    session = new_session(resources=[make(memory_store_id=id) for id in same])
    assert [mount.mount_path for mount in session.resources] == ["/mnt/memory/same-name", "/mnt/memory/same-name-2"]


def scenario_betas():
    both = ["agent-memory-2026-07-22", "managed-agents-2026-04-01"]
    refused(anthropic.BadRequestError, stores.list, betas=both)
    assert stores.list(extra_headers={"anthropic-beta": both[0]}).data is not None
    assert stores.list(extra_headers={"anthropic-beta": both[1]}).data is not None


run(globals())
