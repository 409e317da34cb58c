/** What questions about flows and alerts have in common: an interface, and times. Parameters in, parts of queries out. */
export interface Where {
  readonly interface?: string;
  readonly from?: number;
  readonly to?: number;
}

/** An interface, or all; a range that may be open at either end. */
export const whereOf = ({ interface: name, from, to }: Where): Where => ({
  ...(name === undefined ? {} : { interface: name }),
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to }),
});
