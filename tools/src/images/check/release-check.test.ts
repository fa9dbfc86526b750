import { expect, test } from '@jest/globals';
import { ImageEngine } from '../image-engine.ts';
import { Container } from './container.ts';
import { checkLogs } from './release-check.ts';

/** A container that has printed lines. */
function printed(...lines: readonly string[]): Container {
  const where = { name: 'api', image: 'localhost/api', env: {}, readyUrl: 'http://127.0.0.1:1/readyz' };
  const container = new Container(new ImageEngine('podman'), where);
  container.lines.push(...lines);
  return container;
}

const ENGINE_WARNING = 'time="2026-01-01T00:00:00Z" level=warning msg="something about cgroups"';

test('every log line has to tell the release of the image', () => {
  const right = printed(ENGINE_WARNING, '{"release":"1.2.3"}', '{"release":"1.2.3"}');
  checkLogs({ api: right, worker: right }, '1.2.3');
  for (const wrong of [printed('{"release":"1.2.3"}', '{"release":"1.2.2"}'), printed('{}'), printed(ENGINE_WARNING)]) {
    expect(() => checkLogs({ api: right, worker: wrong }, '1.2.3')).toThrow('another release');
  }
});
