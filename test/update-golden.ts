/** Writes the golden texts of all test captures anew: `npm run golden`. Look at the difference before you commit it. */
import { writeFileSync } from 'node:fs';
import { captureNames, goldenFile, goldenText } from './support/golden.ts';

for (const capture of captureNames()) writeFileSync(goldenFile(capture), goldenText(capture));
