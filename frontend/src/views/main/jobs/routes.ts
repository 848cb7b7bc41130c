import { mdiProgressClock } from '@mdi/js'
import type { RouteRecordRaw } from 'vue-router'

export const routes: RouteRecordRaw[] = [
  {
    path: 'jobs',
    component: () => import('./Jobs.vue'),
    meta: { title: 'job.all', menu: 'main', icon: mdiProgressClock },
  },
  {
    path: 'jobs/view/:id(\\d+)',
    component: () => import('./JobView.vue'),
    meta: { title: 'job.kind' },
    props: ({ params }) => ({ id: Number(params.id) }),
  },
]
