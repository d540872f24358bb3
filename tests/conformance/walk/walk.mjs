// Makes the calls of plan.json with the official TypeScript SDK. Lists are read to their end, page by page.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const require = createRequire(path.join(process.env.SINEW_TEST_NODE_FOLDER, 'package.json'));
const { default: Anthropic, toFile } = await import(pathToFileURL(require.resolve('@anthropic-ai/sdk')));

const CLIENT = 'typescript';
const STREAM_EVENTS_MAX = 1000;
// What the SDK spells otherwise than by the rule.
const SPELLED = { mcp_oauth_validate: 'mcpOAuthValidate' };

let scenario = '';
const client = new Anthropic({
  baseURL: process.env.SINEW_TEST_URL,
  apiKey: 'dummy',
  maxRetries: 0,
  fetch: (url, init) => {
    const headers = new Headers(init.headers);
    headers.set('x-scenario', scenario);
    return fetch(url, { ...init, headers });
  },
});
const known = { model: process.env.SINEW_TEST_MODEL_ID, client: CLIENT };

function check(holds, shown) {
  if (!holds) throw new Error(`unexpected: ${JSON.stringify(shown)}`);
}

// Puts what earlier steps returned in the place of `$name.field`.
async function filled(value) {
  if (Array.isArray(value)) return Promise.all(value.map(filled));
  if (value !== null && typeof value === 'object') {
    if ('$file' in value) {
      const [name, content] = value.$file;
      return toFile(Buffer.from(await filled(content)), name, { type: 'text/plain' });
    }
    const entries = Object.entries(value).map(async ([key, item]) => [key, await filled(item)]);
    return Object.fromEntries(await Promise.all(entries));
  }
  if (typeof value === 'string' && value.startsWith('$')) {
    const [name, ...fields] = value.slice(1).split('.');
    return fields.reduce((found, field) => found[field], known[name]);
  }
  return typeof value === 'string' ? value.replaceAll('$client', CLIENT) : value;
}

function spelled(name) {
  return SPELLED[name] ?? name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
}

async function method(step) {
  const names = step.call.split('.').map(spelled);
  const name = names.pop();
  const resource = names.reduce((found, part) => found[part], client);
  const given = [];
  if ('id' in step) given.push(await filled(step.id));
  if ('params' in step) given.push(await filled(step.params));
  return () => resource[name](...given);
}

async function take(step) {
  const call = await method(step);
  if ('refused' in step) {
    let answer;
    try {
      answer = await call();
    } catch (error) {
      check(error.status === step.refused, `${error.status}: ${error.message}`);
      check(error.requestID && error.error.type === 'error', error.error);
      return;
    }
    throw new Error(`not refused: ${JSON.stringify(answer)}`);
  }
  if ('least' in step) {
    const items = [];
    for await (const item of call()) items.push(item);
    // The versions of one agent share its id.
    const ids = items.map((item) => `${item.id ?? item.path} ${item.version ?? ''}`);
    check(new Set(ids).size === ids.length && ids.length >= step.least, ids);
    known[step.as ?? ''] = items;
    return;
  }
  if ('until' in step) {
    const stream = await call();
    await take(step.meanwhile);
    let count = 0;
    for await (const event of stream) {
      count += 1;
      check(count < STREAM_EVENTS_MAX, 'the stream does not come to its point');
      if (event.type === step.until) break;
    }
    stream.controller.abort();
    return;
  }
  if ('starts' in step) {
    const content = Buffer.from(await (await call()).arrayBuffer()).toString('latin1');
    check(content.startsWith(step.starts), content.slice(0, 20));
    return;
  }
  const { data, response } = await call().withResponse();
  check(response.headers.get('request-id')?.startsWith('req_'), 'no request id');
  check((data === null) === (step.null ?? false), data);
  known[step.as ?? ''] = data;
}

const folder = path.dirname(fileURLToPath(import.meta.url));
for (const part of JSON.parse(fs.readFileSync(path.join(folder, 'plan.json'), 'utf8'))) {
  scenario = part.scenario;
  for (const [index, step] of part.steps.entries()) {
    try {
      await take(step);
    } catch (error) {
      console.error(`${CLIENT}, ${scenario}, step ${index + 1}, ${JSON.stringify(step).slice(0, 300)}:\n${error}`);
      process.exit(1);
    }
  }
  console.log('ok', CLIENT, scenario);
}
