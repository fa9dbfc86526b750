module.exports = { ...require('../../jest.preset.cjs'), displayName: 'extension-stripe', rootDir: __dirname };
