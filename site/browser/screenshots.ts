// npm run site:screenshots: the README's pictures of the playground, light and dark, from a build for a sub-path:
// npm run site:build -- --base /softmax-native/

import { fileURLToPath } from 'node:url';
import { openPage, openSite, type Theme, untilServed } from './serve.js';

const docs = fileURLToPath(new URL('../../docs/', import.meta.url));
const themes: readonly Theme[] = ['light', 'dark'];

const site = await openSite();
try {
  for (const theme of themes) {
    const { page } = await openPage(site, 'playground', 1280, theme);
    await untilServed(page);
    await page.addStyleTag({ content: '.VPNav, .VPLocalNav { display: none }' });
    const figure = await page.$('figure[aria-label="The loss of two classes"]');
    const cutOffs = await page.$('figure[aria-label="Cut-offs"]');
    // Of the cut-offs the controls and the plot.
    const [box, below] = [await cutOffs?.boundingBox(), await (await cutOffs?.$('table'))?.boundingBox()];
    if (!figure || !box || !below) throw new Error('the playground has no such figures');
    await figure.screenshot({ path: `${docs}playground-loss-${theme}.png` });
    const clip = { x: box.x, y: box.y, width: box.width, height: below.y - box.y - 8 };
    await page.screenshot({ path: `${docs}playground-cut-offs-${theme}.png`, clip });
    await page.close();
  }
} finally {
  await site.close();
}
