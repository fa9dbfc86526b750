/** All projects in one run; each can be run alone as well, with --selectProjects or in its folder. */
module.exports = {
  projects: ['<rootDir>/{apps,libs,extensions}/*/jest.config.cjs', '<rootDir>/{tools,e2e,bench}/jest.config.cjs'],
};
