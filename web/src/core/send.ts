/** Sends a file and says how far it is: fetch cannot. */
import { changing, Offline, problemOf, urlOf } from './api.ts';

/**
 * @param progress takes 0 to 1
 * @throws ApiError, Offline
 */
export function sendFile<T>(path: string, file: File, progress: (part: number) => void, signal?: AbortSignal): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const request = new XMLHttpRequest();
  request.open('POST', urlOf(path, { name: file.name }));
  for (const [name, value] of Object.entries(changing())) request.setRequestHeader(name, value);
  request.setRequestHeader('content-type', 'application/octet-stream');
  request.upload.onprogress = ({ loaded, total }) => progress(total === 0 ? 0 : loaded / total);
  request.onload = async () => {
    const { status, responseText } = request;
    if (status < 400) resolve(JSON.parse(responseText) as T);
    else reject(await problemOf({ status, text: async () => responseText }));
  };
  request.onerror = () => reject(new Offline('no answer'));
  signal?.addEventListener('abort', () => request.abort());
  request.send(file);
  return promise;
}
