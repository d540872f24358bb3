// A coordinator with three agents, as users of the official TypeScript SDK write it: the change is rejected once, goes
// back to the same coder, and is approved.

import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(path.join(process.env.SINEW_TEST_NODE_FOLDER, 'package.json'));
const { default: Anthropic } = await import(pathToFileURL(require.resolve('@anthropic-ai/sdk')));

const client = new Anthropic({
  baseURL: process.env.SINEW_TEST_URL,
  apiKey: 'dummy',
  maxRetries: 0,
  fetch: (url, init) => {
    const headers = new Headers(init.headers);
    headers.set('x-scenario', 'a pipeline of agents');
    return fetch(url, { ...init, headers });
  },
});
const model = process.env.SINEW_TEST_MODEL_ID;

function check(holds, shown) {
  if (!holds) throw new Error(`unexpected: ${JSON.stringify(shown)}`);
}

const toolset = { type: 'agent_toolset_20260401' };
const agent = (name, system, tools) => client.beta.agents.create({ name, model, system, tools: [tools] });
const planner = await agent('planner', 'You plan for the pipeline.', {
  ...toolset,
  default_config: { enabled: false },
  configs: ['bash', 'read', 'glob', 'grep'].map((name) => ({ name, enabled: true })),
});
const coder = await agent('coder', 'You code for the pipeline.', toolset);
const reviewer = await agent('reviewer', 'You review for the pipeline.', {
  ...toolset,
  configs: ['write', 'edit'].map((name) => ({ name, enabled: false })),
});
const lead = await client.beta.agents.create({
  name: 'lead',
  model,
  system: 'You lead the pipeline.',
  tools: [toolset],
  multiagent: {
    type: 'coordinator',
    agents: [planner, coder, reviewer].map(({ id, version }) => ({ type: 'agent', id, version })),
  },
});
const environment = await client.beta.environments.create({ name: 'of the pipeline in TypeScript' });
const session = await client.beta.sessions.create({ agent: lead.id, environment_id: environment.id });

const stream = await client.beta.sessions.events.stream(session.id);
await client.beta.sessions.events.send(session.id, {
  events: [{ type: 'user.message', content: [{ type: 'text', text: 'add two numbers' }] }],
});
const threads = {};
const reviews = [];
let handedOver;
for await (const event of stream) {
  if (event.type === 'session.thread_created') {
    threads[event.agent_name] = event.session_thread_id;
  } else if (event.type === 'agent.thread_message_received' && event.from_agent_name === 'reviewer') {
    reviews.push(event.content[0].text);
  } else if (event.type === 'agent.message') {
    handedOver = event.content[0].text.trim();
  } else if (event.type === 'session.status_idle') {
    check(event.stop_reason.type === 'end_turn', event);
    break;
  }
}
check(reviews.length === 2 && reviews[0].startsWith('REJECT') && reviews[1].startsWith('APPROVE'), reviews);
check(handedOver === 'Handed over: echo $(($1 + $2))', handedOver);

const listed = [];
for await (const thread of client.beta.sessions.threads.list(session.id)) listed.push(thread);
check(listed.length === 4 && listed.every((thread) => thread.status === 'idle'), listed);
const written = [];
const ofCoder = client.beta.sessions.threads.events.list(threads.coder, { session_id: session.id });
for await (const event of ofCoder) {
  if (event.type === 'agent.tool_use') written.push(event.input.content);
}
check(written.length === 2 && written[1].includes('+'), written);
console.log('ok a pipeline of agents');
