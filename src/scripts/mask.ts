/** Which callbacks are made at all: those of captures but `protocolDetected` are masked unless somebody asks for them. */
import type { Config } from '../config.ts';
import { CALLBACKS, type Callback } from '../flows/event.ts';

export const unmaskedCallbacks = ({ pcapCallbacks }: Config, live: boolean): readonly Callback[] =>
  CALLBACKS.filter((callback) => live || pcapCallbacks === 'all' || callback === 'protocolDetected');
