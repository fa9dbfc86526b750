module.exports = { ...require('../../jest.preset.cjs'), displayName: 'task-testing', rootDir: __dirname };
