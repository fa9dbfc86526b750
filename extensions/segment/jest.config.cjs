module.exports = { ...require('../../jest.preset.cjs'), displayName: 'extension-segment', rootDir: __dirname };
