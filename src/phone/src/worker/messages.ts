/** What worker and page say to each other. */
export type WorkerMessage = { type: 'open'; id: string };
export type PageMessage = { type: 'activate' };

/** Where the worker leaves the id of a request that a page may have been too sleepy to hear about. */
export const handover = { cache: 'portvakt-handover', key: '/phone/handover' } as const;
