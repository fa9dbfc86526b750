import { describe, expect, test } from '@jest/globals';
import { imagesOptions } from './images-options.ts';

test('without options all images are built, and none is pushed', () => {
  expect(imagesOptions([])).toMatchObject({ release: false, push: false, tags: [], registry: 'localhost' });
  expect(imagesOptions([])?.images.map(({ short }) => short)).toEqual(['api', 'worker', 'sandbox']);
});

test('help is no build', () => {
  expect(imagesOptions(['--help'])).toBeUndefined();
});

describe('options are refused', () => {
  test.each([
    ['--release --tag 1.2.3', '--release names the tags itself: leave out --tag.'],
    ['--trees out --push', '--trees makes no images: leave out --release and --push.'],
    ['--only console', 'There is no image "console": api, worker, sandbox.'],
    ['--engine kaniko', '--engine kaniko: use docker, podman, buildah.'],
    ['--pull', "Unknown option '--pull'"],
  ])('as in %s', (line, words) => {
    expect(() => imagesOptions(line.split(' '))).toThrow(words);
  });
});
