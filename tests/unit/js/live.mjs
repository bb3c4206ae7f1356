// Where the page's modules stand.

export const LIVE = new URL("../../../dashboard/ui/components/live", import.meta.url).href;
