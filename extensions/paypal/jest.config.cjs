module.exports = { ...require('../../jest.preset.cjs'), displayName: 'extension-paypal', rootDir: __dirname };
