/** Gathers the {@link Names} of an interface from the addon: what the numbers of its events stand for. */
import { EXPORTED_DETAILS } from '../flows/exported-details.ts';
import { detailNames } from '../flows/own-details.ts';
import type { Names } from '../flows/view.ts';
import type { DpiHandle, Native } from '../native.ts';

type Own = Pick<Names, 'localNetworks' | 'interfaceName' | 'run' | 'packetInterface' | 'sampled'>;

/** @param dpi undefined when detection is off: protocols then have no names */
export function namesOf(native: Native, dpi: DpiHandle | undefined, own: Own): Names {
  return {
    protocols: dpi === undefined ? [] : native.dpiProtocols(dpi),
    categories: dpi === undefined ? [] : native.dpiCategories(dpi),
    breeds: dpi === undefined ? [] : native.dpiBreeds(dpi),
    risks: native.dpiRisks(),
    confidences: native.dpiConfidences(),
    details: [...detailNames(native.dpiDetailNames()), ...EXPORTED_DETAILS],
    ...own,
  };
}

/** Category << 8 | breed of each protocol, by id; none without detection. */
export function protocolTraits(native: Native, dpi: DpiHandle | undefined): Int32Array {
  if (dpi === undefined) return new Int32Array(0);
  const traits = new Int32Array(native.dpiProtocols(dpi).length);
  native.dpiTraits(dpi, traits);
  return traits;
}

const protocolName = (protocols: readonly string[], id: number): string => protocols[id] ?? (id === 0 ? 'Unknown' : String(id));

/** nDPI's `ndpi_protocol2name`: `Master.App` if both are known and differ, else the known one. */
export function protocolPairName(protocols: readonly string[], master: number, app: number): string {
  if (master === 0 || master === app) return protocolName(protocols, app);
  return app === 0 ? protocolName(protocols, master) : `${protocolName(protocols, master)}.${protocolName(protocols, app)}`;
}
