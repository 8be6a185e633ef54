// VitePress's own theme, in calmer colours, with the figures.

import type { Theme } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import CutOffs from '../../components/CutOffs.vue';
import LogitBars from '../../components/LogitBars.vue';
import LossSurface from '../../components/LossSurface.vue';
import OverflowTable from '../../components/OverflowTable.vue';
import ServedBy from '../../components/ServedBy.vue';
import UlpPlot from '../../components/UlpPlot.vue';
import './style.css';
import './figures.css';
import './plots.css';

export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    for (const [name, component] of Object.entries({
      ...{ CutOffs, LogitBars, LossSurface, OverflowTable, ServedBy, UlpPlot },
    }))
      app.component(name, component);
  },
} satisfies Theme;
