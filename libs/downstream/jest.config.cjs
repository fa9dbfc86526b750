module.exports = { ...require('../../jest.preset.cjs'), displayName: 'downstream', rootDir: __dirname };
