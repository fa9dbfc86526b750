module.exports = { ...require('../../jest.preset.cjs'), displayName: 'extension-open-edx-lms', rootDir: __dirname };
