// jsdom, with what JupyterLab's modules expect of a browser when they are loaded.
const { TestEnvironment } = require('jest-environment-jsdom');

module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const name of ['fetch', 'Request', 'Response', 'Headers', 'TextEncoder', 'TextDecoder']) {
      this.global[name] = globalThis[name];
    }
    this.global.structuredClone = globalThis.structuredClone;
    this.global.matchMedia = () => ({ matches: false, addListener() {}, addEventListener() {} });
    this.global.ResizeObserver = class {
      observe() {}
      unobserve() {}
      disconnect() {}
    };
    this.global.DragEvent = class extends this.global.MouseEvent {};
  }
};
