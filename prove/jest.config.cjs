module.exports = { ...require('../jest.preset.cjs'), displayName: 'prove', rootDir: __dirname };
