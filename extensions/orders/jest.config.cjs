module.exports = { ...require('../../jest.preset.cjs'), displayName: 'extension-orders', rootDir: __dirname };
