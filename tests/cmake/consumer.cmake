# Stories of consumers: scenarios as text, told back as text.
if(TARGET cohort_tools)
    add_library(cohort_stories STATIC ${CMAKE_CURRENT_LIST_DIR}/../consumer/story.c)
    target_link_libraries(cohort_stories PUBLIC cohort_tools PkgConfig::CMOCKA)
    cohort_tests(consumer cohort_stories)
endif()
