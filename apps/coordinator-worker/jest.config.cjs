module.exports = { ...require('../../jest.preset.cjs'), displayName: 'coordinator-worker', rootDir: __dirname };
