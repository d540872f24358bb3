"""Files that go into sessions and come out of them."""

import time

from support import *


def files_of(session, ready):
    """Lists a session's files until they are as expected: they appear some time after it became idle."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = {file.filename: file for file in client.beta.files.list(scope_id=session.id)}
        if ready(found):
            return found
    raise AssertionError(f"these files are not as expected: {found}")


def scenario_files_are_kept():
    files = client.beta.files
    data = bytes(range(256)) * 100
    made = files.upload(file=("numbers.csv", data), expires_in_seconds=3600)
    assert (made.filename, made.mime_type, made.size_bytes, made.downloadable) == ("numbers.csv", "text/csv", 25600, False)
    assert (made.expires_at - made.created_at).total_seconds() == 3600
    assert files.retrieve_metadata(made.id) == made
    refusal = refused(anthropic.BadRequestError, files.download, made.id)
    assert refusal.body["error"]["details"]["error_code"] == "file_not_downloadable"
    refused(anthropic.BadRequestError, files.upload, file=("a:b", b""))
    refused(anthropic.BadRequestError, files.upload, file=("a", b""), expires_in_seconds=60)

    others = [files.upload(file=(f"{n}.txt", b"x")).id for n in range(4)]
    assert [file.id for file in files.list(limit=2)][:5] == [*others[::-1], made.id], "newest first, over several pages"
    assert [file.id for file in files.list(ids=[made.id, "file_none", others[0]])] == [others[0], made.id]
    old = client.get("/v1/files?limit=2", cast_to=object)
    assert old["has_more"] and [old["first_id"], old["last_id"]] == others[:1:-1]
    old = client.get(f"/v1/files?limit=2&after_id={old['last_id']}", cast_to=object)
    assert [file["id"] for file in old["data"]] == others[1::-1]
    for file in [made.id, *others]:
        assert files.delete(file).type == "file_deleted"
    refused(anthropic.NotFoundError, files.retrieve_metadata, made.id)
    assert client.files.list(limit=1).data is not None, "the same without a beta"


def scenario_a_file_goes_in_and_others_come_out():
    files, sessions = client.beta.files, client.beta.sessions
    data = bytes(range(256)) * 1000
    upload = files.upload(file=("in.bin", data))
    mounts = [{"type": "file", "file_id": upload.id, "mount_path": "/data/in.bin"}]
    session = new_session(resources=mounts)
    (resource,) = session.resources
    assert resource.mount_path == "/mnt/session/uploads/data/in.bin" and resource.file_id != upload.id
    assert sessions.resources.retrieve(resource.id, session_id=session.id) == resource
    copy = files.retrieve_metadata(resource.file_id)
    assert (copy.scope.id, copy.size_bytes, copy.downloadable) == (session.id, len(data), False)
    files.delete(upload.id)

    events = turn(session, message("copy the upload"))
    assert {"kept out", "kept in"} <= set(words(of_kind(events, "agent.message")[0]).splitlines()), "uploads are read-only"
    made = files_of(session, lambda found: {"copy.bin", "size.txt"} <= set(found))
    assert made["copy.bin"].downloadable and made["copy.bin"].scope.id == session.id
    assert files.download(made["copy.bin"].id).read() == data, "the bytes came through"
    assert files.download(made["size.txt"].id).read() == b"256000\n"
    assert made["size.txt"].mime_type == "text/plain"

    note = files.upload(file=("note.txt", b"a note\n"))
    plain = files.upload(file=("plain", b""))
    added = sessions.resources.add(session.id, type="file", file_id=note.id, mount_path="note.txt")
    unnamed = sessions.resources.add(session.id, type="file", file_id=plain.id)
    assert unnamed.mount_path == f"/mnt/session/uploads/{plain.id}"
    refused(anthropic.BadRequestError, sessions.resources.add, session.id, type="file", file_id=note.id, mount_path="/note.txt")
    refused(anthropic.BadRequestError, sessions.resources.add, session.id, type="file", file_id=note.id, mount_path="data")
    refused(anthropic.NotFoundError, sessions.resources.add, session.id, type="file", file_id="file_none")
    refused(anthropic.BadRequestError, sessions.resources.update, added.id, session_id=session.id, authorization_token="t")
    assert [found.id for found in sessions.resources.list(session.id, limit=2)] == [resource.id, added.id, unnamed.id]
    first = files.delete(made["copy.bin"].id)
    events = turn(session, message("what is new?"))
    assert words(of_kind(events, "agent.message")[0]).startswith("a note\n"), "it is there before the next call"
    changed = files_of(session, lambda found: found.get("size.txt") and found["size.txt"].id != made["size.txt"].id)
    assert files.download(changed["size.txt"].id).read() == b"256000\nmore\n"
    refused(anthropic.NotFoundError, files.download, made["size.txt"].id)
    assert "copy.bin" not in changed, f"{first.id} was deleted and did not change"

    for one in [resource, added, unnamed]:
        assert sessions.resources.delete(one.id, session_id=session.id).type == "session_resource_deleted"
    refused(anthropic.NotFoundError, sessions.resources.retrieve, added.id, session_id=session.id)
    refused(anthropic.NotFoundError, files.retrieve_metadata, added.file_id)
    assert sessions.retrieve(session.id).resources == []
    events = turn(session, message("and now?"))
    assert words(of_kind(events, "agent.message")[0]) == "left: (no output)", words(of_kind(events, "agent.message")[0])
    assert "session.updated" not in kinds(sessions.events.list(session.id))

    sessions.delete(session.id)
    assert list(files.list(scope_id=session.id)) == []
    refused(anthropic.NotFoundError, files.retrieve_metadata, changed["size.txt"].id)
    assert files.retrieve_metadata(note.id).id == note.id, "uploads stay"


def scenario_mounts_are_checked():
    upload = client.beta.files.upload(file=("a", b"x"))
    entry = {"type": "file", "file_id": upload.id}
    repository = {"type": "github_repository", "url": "https://github.com/o/r", "authorization_token": "t"}
    for error, resources in [
        (anthropic.NotFoundError, [{"type": "file", "file_id": "file_none"}]),
        (anthropic.BadRequestError, [entry, entry]),
        (anthropic.BadRequestError, [{**entry, "mount_path": "/../a"}]),
        (anthropic.BadRequestError, [{**entry, "mount_path": str(n)} for n in range(501)]),
        (anthropic.BadRequestError, [repository]),
        (anthropic.NotFoundError, [entry, {"type": "file", "file_id": "file_none"}]),
    ]:
        refused(error, new_session, resources=resources)
    session = new_session()
    client.beta.sessions.archive(session.id)
    refused(anthropic.BadRequestError, client.beta.sessions.resources.add, session.id, **entry)
    assert list(client.beta.files.list(scope_id=session.id)) == []


run(globals())
