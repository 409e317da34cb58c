/** Put in by build.js: the most flows that one question of the programming interface may ask for (src/flows/selection.ts). */
declare const MOST_FLOWS: number;
