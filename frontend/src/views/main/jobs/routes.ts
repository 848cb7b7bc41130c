import { mdiProgressClock } from '@mdi/js'
import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: 'jobs',
    component: () => import('./Jobs.vue'),
    meta: { title: 'job.all', menu: 'main', icon: mdiProgressClock },
  },
]
