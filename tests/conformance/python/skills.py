"""Skills, as resources and in the hands of an agent."""

import io
import zipfile

from support import *

SKILL = b"---\nname: greeting\ndescription: Greets people.\n---\nRun scripts/greet.sh with the name.\n"
SCRIPT = b'echo "Good day, $1!"\n'


def skill_files(text=SKILL):
    return [("greeting/SKILL.md", text), ("greeting/scripts/greet.sh", SCRIPT)]


def zipped():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in skill_files():
            archive.writestr(name, content)
    return ("greeting.zip", packed.getvalue())


def scenario_skills_have_versions():
    skills = client.skills
    made = skills.create(files=skill_files(), display_name="Greetings")
    assert (made.display_name, made.source.type) == ("Greetings", "custom")
    assert skills.create(files=[zipped()]).display_name == "greeting"
    assert skills.retrieve(made.id) == made
    second = skills.versions.create(made.id, files=[zipped()])
    assert (second.name, second.description, second.skill_id) == ("greeting", "Greets people.", made.id)
    assert skills.versions.retrieve("latest", skill_id=made.id) == second
    assert [version.id for version in skills.versions.list(made.id, limit=1)] == [second.id, made.latest_version_id]
    for version in [second.id, made.latest_version_id]:
        content = client.beta.skills.versions.download(version, skill_id=made.id).read()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert {name: archive.read(name) for name in archive.namelist()} == dict(skill_files())
    refused(anthropic.BadRequestError, skills.create, files=[("SKILL.md", SKILL)])
    refused(anthropic.BadRequestError, skills.create, files=skill_files(b"no front matter"))
    renamed = skill_files(SKILL.replace(b"name: greeting", b"name: other"))
    refused(anthropic.BadRequestError, skills.versions.create, made.id, files=renamed)
    assert made.id in [skill.id for skill in skills.list(source="custom", limit=1)]
    assert list(skills.list(source="anthropic")) == []
    assert skills.versions.delete(second.id, skill_id=made.id).type == "skill_version_deleted"
    assert skills.retrieve(made.id).latest_version_id == made.latest_version_id
    refused(anthropic.BadRequestError, skills.versions.delete, made.latest_version_id, skill_id=made.id)
    assert skills.delete(made.id).type == "skill_deleted"
    refused(anthropic.NotFoundError, skills.retrieve, made.id)


def scenario_an_agent_uses_a_skill():
    skill = client.skills.create(files=skill_files())
    entry = {"type": "custom", "skill_id": skill.id}
    agents, sessions = client.beta.agents, client.beta.sessions
    make = {"name": "greeter", "model": MODEL, "tools": [TOOLSET]}
    refused(anthropic.BadRequestError, agents.create, **make, skills=[{"type": "custom", "skill_id": "skill_none"}])
    refused(anthropic.BadRequestError, agents.create, **make, skills=[{"type": "anthropic", "skill_id": "pptx"}])
    agent = agents.create(**make, skills=[entry])
    assert agent.skills[0].version == "latest"
    session = sessions.create(agent=agent.id, environment_id=environment().id)
    assert session.agent.skills[0].version == skill.latest_version_id, "each session pins what latest means"
    client.skills.versions.create(skill.id, files=skill_files(SKILL + b"More.\n"))
    events = turn(session, message("greet the skilled way"))
    results = [words(event) for event in of_kind(events, "agent.tool_result")]
    assert "Run scripts/greet.sh" in results[0] and "More." not in results[0], results
    assert "Good day, Ada!" in results[1] and "kept" in results[1], results
    client.skills.delete(skill.id)
    refused(anthropic.BadRequestError, sessions.create, agent=agent.id, environment_id=environment().id)


run(globals())
