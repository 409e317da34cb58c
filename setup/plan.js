/**
 * What set-up has to do, decided from what is there. Pure: no files, no processes.
 *
 * Enters: a {@link State}, read by setup.js. Leaves: the steps in order, or the reason why it cannot be done.
 * Called by setup.js and its tests. Plain JavaScript: it runs on any Node from 20 on, before anything is installed.
 */

/**
 * @typedef {'start' | 'test'} Purpose what will run after set-up
 * @typedef {object} SystemPackage
 * @property {string} name Debian's and Ubuntu's name
 * @property {string} [command] there when this command is found
 * @property {string} [header] there when this file is found in a folder for C headers
 */

/** Needed to build and run flowpatrol. @type {readonly SystemPackage[]} */
const START_PACKAGES = [
  { name: 'libpcap-dev', header: 'pcap/pcap.h' },
  { name: 'libndpi-dev', header: 'ndpi/ndpi_api.h' },
  { name: 'gcc', command: 'cc' },
  { name: 'libc6-dev', header: 'stdio.h' },
];

/** Needed by the tests on top of that. @type {readonly SystemPackage[]} */
const TEST_PACKAGES = [
  { name: 'python3', command: 'python3' },
  { name: 'tcpreplay', command: 'tcpreplay' },
  { name: 'iproute2', command: 'ip' },
  { name: 'libndpi-bin', command: 'ndpiReader' },
  { name: 'tshark', command: 'tshark' },
  { name: 'util-linux', command: 'unshare' },
  { name: 'bsdutils', command: 'script' },
  { name: 'procps', command: 'ps' },
  { name: 'lua5.4', command: 'lua5.4' },
  { name: 'softflowd', command: 'softflowd' },
  { name: 'nfdump', command: 'nfpcapd' },
  { name: 'chromium', command: 'chromium' },
];

/** @param {Purpose} purpose */
export const packagesFor = (purpose) => (purpose === 'start' ? START_PACKAGES : [...START_PACKAGES, ...TEST_PACKAGES]);

/** The oldest Node that runs the sources as they are. */
export const NODE_MAJOR = 24;

/**
 * @typedef {object} State what is there
 * @property {readonly string[]} missing names of system packages that were not found
 * @property {boolean} apt whether apt-get is there
 * @property {'root' | 'sudo' | 'none'} rights how system packages can be installed
 * @property {boolean} modulesCurrent whether node_modules is what package-lock.json says
 * @property {boolean} packagedNode whether node_modules is going to hold a Node (npm has one for this processor)
 * @property {number} machineMajor major version of the machine's Node
 *
 * @typedef {{ step: 'packages', names: readonly string[], sudo: boolean } | { step: 'modules' }} Step
 * @typedef {{ steps: readonly Step[] } | { problem: string }} Plan
 */

/**
 * The command that a person types to install system packages.
 * @param {readonly string[]} names @param {boolean} sudo
 */
export function installCommand(names, sudo) {
  const prefix = sudo ? 'sudo ' : '';
  return `${prefix}apt-get update && ${prefix}apt-get install -y --no-install-recommends ${names.join(' ')}`;
}

/**
 * @param {State} state
 * @returns {Plan} steps in order, none when all is there; or what a person has to do first
 */
export function plan(state) {
  if (!state.packagedNode && state.machineMajor < NODE_MAJOR) {
    return {
      problem: `npm has no Node ${NODE_MAJOR} for this processor, and the installed one is older. Install Node ${NODE_MAJOR} or newer.`,
    };
  }
  /** @type {Step[]} */
  const steps = [];
  if (state.missing.length > 0) {
    if (!state.apt) {
      return { problem: `These are missing, and there is no apt-get to install them (Debian's names): ${state.missing.join(' ')}` };
    }
    if (state.rights === 'none') {
      const command = installCommand(state.missing, false);
      return { problem: `System packages are missing, and installing them needs root or sudo. Run this as root:\n\n  ${command}\n` };
    }
    steps.push({ step: 'packages', names: state.missing, sudo: state.rights === 'sudo' });
  }
  if (!state.modulesCurrent) steps.push({ step: 'modules' });
  return { steps };
}
