/** What scripts do goes into a recording on its way: HostSink in, HostSink out. Called by the script host's thread. */
import type { Callback } from '../flows/event.ts';
import type { FileChange, HostSink } from '../scripts/host.ts';
import type { HostInput, RecordedFile } from './format.ts';
import type { RecordingWriter } from './writer.ts';

/** @param callback the one that runs, for what does not say it */
export function recordedSink(sink: HostSink, recording: RecordingWriter, callback: () => Callback): HostSink {
  return {
    ...sink,
    alert(alert, view) {
      recording.doing({ type: 'alert', alert });
      sink.alert(alert, view);
    },
    print(script, level, line, of, view) {
      recording.doing({ type: 'print', script, level, line, callback: of });
      sink.print(script, level, line, of, view);
    },
    error(script, of, message, view) {
      recording.doing({ type: 'error', script, callback: of, message });
      sink.error(script, of, message, view);
    },
    changes(changes, view) {
      recording.doing({ type: 'changes', callback: callback(), changes });
      sink.changes(changes, view);
    },
    loaded(script, version, replaced) {
      recording.doing({ type: 'loaded', script, replaced, ...(version === undefined ? {} : { version }) });
      sink.loaded(script, version, replaced);
    },
    switched(script, on, reason, view, of) {
      recording.doing({ type: 'switched', script, on, reason });
      sink.switched(script, on, reason, view, of);
    },
    trace(of, scripts, view) {
      recording.doing({ type: 'trace', callback: of, scripts });
      sink.trace?.(of, scripts, view);
    },
  };
}

/** New states of files as a recording keeps them. */
export const filesInput = (files: readonly FileChange[]): HostInput => ({ type: 'files', files: files.map(recordedFile) });

function recordedFile({ path, version, error }: FileChange): RecordedFile {
  if (version === undefined) return { path, ...(error === undefined ? {} : { error }) };
  const { language, hash, source } = version;
  return { path, language, hash, source: Buffer.from(source).toString('base64') };
}

/** And back. */
export function fileChange({ path, language, hash, source, error }: RecordedFile): FileChange {
  if (source === undefined || language === undefined || hash === undefined) return { path, ...(error === undefined ? {} : { error }) };
  const file = path.slice(path.lastIndexOf('/') + 1);
  return { path, version: { file, path, language, hash, source: new Uint8Array(Buffer.from(source, 'base64')) } };
}
