# Whole worlds drawn from seeds.
if(TARGET cohort_tools)
    add_library(cohort_random STATIC ${CMAKE_CURRENT_LIST_DIR}/../random/random_world.c
        ${CMAKE_CURRENT_LIST_DIR}/../random/random_timeline.c)
    target_link_libraries(cohort_random PUBLIC cohort_tools)
    cohort_tests(random cohort_random)
endif()
