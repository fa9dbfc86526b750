module.exports = { ...require('../../jest.preset.cjs'), displayName: 'example-warehouse', rootDir: __dirname };
