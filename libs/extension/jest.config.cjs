module.exports = { ...require('../../jest.preset.cjs'), displayName: 'extension', rootDir: __dirname };
